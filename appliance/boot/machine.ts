import type { BootVolume } from '../../contract/boot-volume.ts'

/** What a site knows of one machine when it asks to boot. Plans write it, the boot servers read it. */
export interface BootMachine {
  node: string
  /** Of the plan that set this. */
  generation: number
  /** Lower case, joined by colons. */
  macs: string[]
  arch: 'x86_64' | 'aarch64'
  /** `instance`: what people boot on it, at every start. */
  mode: 'ramdisk' | 'instance' | 'disk' | 'off'
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
  instance?: BootInstance
}

/** Names of files in the image cache: kernel and ramdisk, or an ISO. */
export interface BootInstance {
  kernel?: string
  initrd?: string
  iso?: string
  cmdline: string
  /** Of an installer: its second stage in the image cache, and its kickstart, without the token that it will say who it is with. */
  stage2?: string
  kickstart?: string
  /** A disk on the network, its secret still sealed; and such as it finds beside what it boots from. */
  volume?: BootVolume
  dataVolumes?: BootVolume[]
  /** The ISO is in the machine's virtual drive, so that it is the BMC that reads it. */
  byMedium?: boolean
}

/** Stands in a command line for the token of the boot. */
export const BOOT_TOKEN = '@@boot_token@@'

/** What the kernel that is due is told. */
export function commandLine({ mode, ramdisk, instance }: BootMachine, token: string): string {
  return ((mode === 'instance' ? instance : ramdisk)?.cmdline ?? '').replaceAll(BOOT_TOKEN, token)
}

export function bootsIso({ mode, instance }: BootMachine): boolean {
  return mode === 'instance' && instance?.iso !== undefined
}

/** What iPXE hooks in at each start; undefined: nothing. Without a disk to boot from it goes on to the machine's own. */
export function hookedVolumes({ mode, instance }: BootMachine): { boot?: BootVolume; data: BootVolume[] } | undefined {
  const { volume: boot, dataVolumes: data = [] } = instance ?? {}
  if (mode !== 'instance' || (!boot && data.length === 0)) return undefined
  return boot ? { boot, data } : { data }
}

/** It is given a kernel with a ramdisk. */
export function bootsKernel(machine: BootMachine): boolean {
  return machine.mode === 'ramdisk' || (machine.mode === 'instance' && !bootsIso(machine) && !hookedVolumes(machine))
}

export interface BootDirectory {
  byMac(mac: string): BootMachine | undefined
  /** Undefined once the machine went on: tokens die with the boot that they were made for. */
  byBootToken(token: string): { machine: BootMachine; mac: string } | undefined
  /** A token that was good until its machine went on. */
  bySpentToken(token: string): { node: string; mac: string } | undefined
  /** The token of this boot of this machine; the same until the machine goes on. */
  bootToken(machine: BootMachine, mac: string): string
  /** Secrets of its volumes by their names, which the token gets once: the next start has a token of its own. */
  unlock?(token: string): ReadonlyMap<string, string>
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
  | 'iso'
  | 'kickstart'
  | 'stage2'
  | 'medium'
  | 'lookup'
  | 'heartbeat'

export interface BootEvents {
  seen(mac: string, kind: BootEventKind, detail?: Record<string, string | number>): void
}
