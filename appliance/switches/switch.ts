import type { SwitchConfig } from './config.ts'

/** What a driver does on one switch. Each call is a log-in of its own: plans move ports seldom, and switches allow few sessions. */
export interface Switch {
  /** The VLAN whose frames come and go untagged; null: the port is none's access port. */
  vlanOf(port: string, signal: AbortSignal): Promise<number | null>
  /** Makes it an access port of that VLAN, and says so only if the switch then says so too; null: as it was made. */
  setVlan(port: string, vlan: number | null, signal: AbortSignal): Promise<void>
}

export interface Switches {
  /** By its name or MAC; undefined: the site has none such. */
  find(named: string): { config: Pick<SwitchConfig, 'name' | 'address'>; device: Switch } | undefined
  names(): string[]
}

export function openSwitches(configs: readonly SwitchConfig[], open: (config: SwitchConfig) => Switch): Switches {
  return {
    find(named) {
      const config = configs.find(({ name, id }) => name === named || id?.toLowerCase() === named.toLowerCase())
      return config && { config, device: open(config) }
    },
    names: () => configs.map(({ name }) => name),
  }
}
