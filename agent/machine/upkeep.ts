import type { CommandProgress } from '../../contract/agent.ts'
import { burnDisk, type DiskBurnIn } from '../burn-in/disks.ts'
import { burnNetwork, type NetworkBurnIn } from '../burn-in/network.ts'
import { burnMemory, burnProcessors } from '../burn-in/threads.ts'
import type { Clock } from '../clock.ts'
import type { Disk } from '../disks/disk.ts'
import { injectFiles } from '../files/inject.ts'
import type { WantedFile } from '../files/wanted.ts'
import type { Trust } from '../http.ts'
import type { Log } from '../log.ts'
import { cleanBootRecords, erasePstore } from './nvram.ts'

type Progress = (progress: CommandProgress) => void

/** What is done to a server beside erasing and writing its disks. Each resolves to a sentence about what was done. */
export interface Upkeep {
  injectFiles: (files: readonly WantedFile[], disk: Disk, verify: boolean) => Promise<string>
  /** Without patterns, the entries that lead to a loader on a disk. */
  cleanBootRecords: (patterns: readonly RegExp[] | undefined) => Promise<string>
  erasePstore: () => Promise<string>
  burnProcessors: (cpus: number, seconds: number, progress: Progress) => Promise<string>
  burnMemory: (percent: number, seconds: number, progress: Progress) => Promise<string>
  burnDisk: (disk: Disk, how: DiskBurnIn, progress: (done: number) => void) => Promise<void>
  burnNetwork: (how: NetworkBurnIn) => Promise<string>
}

export interface UpkeepMeans {
  clock: Clock
  log: Log
  trust: Trust
  /** Without a byte for this long, a download fails. */
  seconds: number
}

export function createUpkeep({ clock, log, trust, seconds }: UpkeepMeans): Upkeep {
  return {
    injectFiles: (files, disk, verify) =>
      injectFiles(files, disk, { trust: verify ? trust : { ...trust, insecure: true }, seconds, log }),
    cleanBootRecords: (patterns) => cleanBootRecords(patterns, log),
    erasePstore: () => erasePstore(log),
    burnProcessors: (cpus, time, progress) => burnProcessors(cpus, time, { clock, progress }),
    burnMemory: (percent, time, progress) => burnMemory(percent, time, { clock, progress }),
    burnDisk: (disk, how, progress) => burnDisk(disk, how, clock, progress),
    burnNetwork: (how) => burnNetwork(how, clock),
  }
}
