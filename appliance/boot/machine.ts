/** What a site knows of one machine when it asks to boot. Plans write it, the boot servers read it. */
export interface BootMachine {
  node: string
  /** Of the plan that set this. */
  generation: number
  /** Lower case, joined by colons. */
  macs: string[]
  arch: 'x86_64' | 'aarch64'
  mode: 'ramdisk' | 'disk' | 'off'
  /** Its firmware starts nothing but what is signed. */
  secureBoot?: boolean
  hostname?: string
  /** Fixed IPv4 addresses by MAC. */
  addresses?: Record<string, string>
  ramdisk?: {
    cmdline: string
    /** It comes by virtual media, with static addresses in it. */
    media?: { network: string; networkData?: Record<string, unknown> }
  }
}

export interface BootDirectory {
  byMac(mac: string): BootMachine | undefined
  /** Undefined once the machine went on: tokens die with the boot that they were made for. */
  byBootToken(token: string): { machine: BootMachine; mac: string } | undefined
  /** A token that was good until its machine went on. */
  bySpentToken(token: string): { node: string; mac: string } | undefined
  /** The token of this boot of this machine; the same until the machine goes on. */
  bootToken(machine: BootMachine, mac: string): string
}

export type BootEventKind =
  | 'dhcp discover'
  | 'dhcp offer'
  | 'dhcp request'
  | 'dhcp ack'
  | 'tftp'
  | 'script'
  | 'kernel'
  | 'initrd'
  | 'medium'
  | 'lookup'
  | 'heartbeat'

export interface BootEvents {
  seen(mac: string, kind: BootEventKind, detail?: Record<string, string | number>): void
}
