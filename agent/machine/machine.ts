import type { BootcInstall } from '../containers/bootc.ts'
import type { NodeParam } from '../../contract/agent.ts'
import type { Progress, WriteArguments } from '../image/deploy.ts'
import type { Disk } from '../disks/disk.ts'
import type { EraseOptions } from '../disks/erase-options.ts'
import type { Upkeep } from './upkeep.ts'

export interface Written {
  said: string
  /** The partition that a partition image went to. */
  root?: number
  kernelArguments?: string
}

/** The server that the agent runs on, as narrow as its commands need it. */
export interface Machine {
  disks: () => Promise<Disk[]>
  eraseMetadata: (disk: Disk) => Promise<void>
  /** Nothing on it can be read again. `progress`: from 0 to 1. */
  eraseFully: (disk: Disk, options: EraseOptions, progress: (done: number) => void) => Promise<void>
  /** As fully as takes seconds. */
  eraseExpress: (disk: Disk) => Promise<void>
  /** Of the disks that no other arrays are made of than these, which were erased. */
  forgetLoaders: (arrays: readonly string[]) => Promise<void>
  /** Software RAID; what was made, as raid_config tells it. */
  createArrays: (config: unknown, node: NodeParam) => Promise<Record<string, unknown>>
  deleteArrays: (node: NodeParam) => Promise<void>
  installContainer: (wanted: BootcInstall, disk: Disk, progress: Progress) => Promise<Written>
  writeImage: (wanted: WriteArguments, disk: Disk, progress: Progress) => Promise<Written>
  /** Names of what an image brought along, under Ironic's keys. */
  identify: (disk: Disk, root: number | undefined) => Promise<Record<string, unknown>>
  /** Has the firmware boot what was written to this disk, where it must be told. */
  installBoot: (disk: Disk, written: Partial<Written>) => Promise<string>
  upkeep: Upkeep
  sync: () => Promise<void>
  /** Both return before it happens, so that the command can be answered. */
  powerOff: () => void
  reboot: () => void
  /** The kernel that the system on this disk boots, for startKernel, which returns before it happens. */
  loadKernel: (disk: Disk, written: Partial<Written>) => Promise<Record<string, unknown>>
  startKernel: () => void
  /** A gzipped tar. */
  collectLogs: () => Promise<Buffer>
  inventory: () => Promise<Record<string, unknown>>
  /** What an inspection tells beside the inventory, under the names of ironic-python-agent's collectors. */
  collected: () => Promise<Record<string, unknown>>
  /** As crypt(3) makes it. */
  hashPassword: (password: string) => Promise<string>
  /** Lets people in at the consoles who know the password of this hash. */
  allowRescue: (hash: string) => Promise<void>
  /** No more heartbeats, and soon no network. */
  lockDown: () => void
}
