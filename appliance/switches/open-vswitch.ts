import { z } from 'zod'
import { HardwareError } from '../hardware-error.ts'
import type { SwitchConfig } from './config.ts'
import { commandBySsh } from './ssh-command.ts'
import type { Switch } from './switch.ts'

/** OVSDB's JSON of a column: a value, or a set of none (RFC 7047 §5.1). */
const shown = z.object({ data: z.array(z.tuple([z.unknown(), z.unknown()])).length(1) })
/** It goes through a shell there. */
const NAME = /^[A-Za-z0-9][\w./:-]{0,63}$/

/** A switch that runs Open vSwitch, such as those of PicOS and DENT, by its own command: ports are records, VLANs their `tag`. */
export function openVswitch(config: SwitchConfig): Switch {
  const ask = (command: string, signal: AbortSignal): Promise<string> =>
    commandBySsh(config, `ovs-vsctl --timeout=60 ${command}`, signal)
  const vlanOf: Switch['vlanOf'] = async (port, signal) => {
    const text = await ask(`--format=json --columns=tag,vlan_mode list Port ${named(config, port)}`, signal)
    const [tag, mode] = read(config, text)
    // A port with a tag and no mode is an access port: ovs-vswitchd.conf.db(5).
    return typeof tag === 'number' && (typeof mode !== 'string' || mode === 'access') ? tag : null
  }
  return {
    vlanOf,
    async setVlan(port, vlan, signal) {
      const record = `Port ${named(config, port)}`
      await ask(
        vlan === null
          ? `clear ${record} tag -- clear ${record} vlan_mode`
          : `clear ${record} trunks -- set ${record} vlan_mode=access tag=${vlan}`,
        signal,
      )
      const now = await vlanOf(port, signal)
      if (now !== vlan)
        throw new HardwareError(
          `switch ${config.name}, port ${port}: it was given ${vlanText(vlan)}, and says that it has ${vlanText(now)}: does something else configure this switch?`,
        )
    },
  }
}

const vlanText = (vlan: number | null): string => (vlan === null ? 'no VLAN' : `VLAN ${vlan}`)

function named({ name }: SwitchConfig, port: string): string {
  if (!NAME.test(port))
    throw new HardwareError(
      `switch ${name}: ${JSON.stringify(port.slice(0, 64))} is no name of a port; correct local_link_connection/port_id`,
    )
  return port
}

function read({ name }: SwitchConfig, text: string): [unknown, unknown] {
  try {
    const [row] = shown.parse(JSON.parse(text)).data
    if (row) return row
  } catch {
    // said below
  }
  throw new HardwareError(`switch ${name}: its answer is not Open vSwitch's: ${JSON.stringify(text.slice(0, 100))}`)
}
