import { stat } from 'node:fs/promises'
import { partitionPath } from '../disks/device.ts'
import type { Disk } from '../disks/disk.ts'
import { type FileSystem, fileSystemOn } from '../disks/file-system.ts'
import { identityOf } from '../disks/identify.ts'
import { CommandFailure } from '../failure.ts'
import { looking } from '../loader/look.ts'
import { libc } from '../native/libc.ts'
import { entryIn, type FoundEntry, witnesses } from './entry.ts'
import { openPieces } from './pieces.ts'
import { refusal } from './refusal.ts'

/** Their numbers (arch/x86/entry/syscalls/syscall_64.tbl, include/uapi/asm-generic/unistd.h). */
const KEXEC_FILE_LOAD: Partial<Record<string, number>> = { x64: 320, arm64: 294 }
const NO_INITRAMFS = 4
const LONGEST_COMMAND_LINE = 2047
/** Of kernel and initrds together: they are in memory twice for a moment. */
const LARGEST = 1024 * 1024 * 1024

export interface Loaded {
  kernel: string
  command_line: string
}

/** Loads the kernel that the system on this disk would boot, for `startLoaded`. */
export async function loadKernelOf(disk: Disk, root: number | undefined): Promise<Loaded> {
  // Beside a partition image there may be what was there before.
  const numbers = root === undefined ? (await identityOf(disk)).partitions.map(({ number }) => number) : [root]
  const partitions = numbers.length === 0 ? [disk.name] : numbers.map((number) => partitionPath(disk.name, number))
  const candidates: { by: FoundEntry['by']; partition: string; system: FileSystem }[] = []
  for (const partition of partitions) {
    const system = await fileSystemOn(partition)
    const by = system && (await lookingInto(partition, system, async (_, entry) => entry.by))
    if (system && by) candidates.push({ by, partition, system })
  }
  const [best] = candidates.toSorted((a, b) => witnesses.indexOf(a.by) - witnesses.indexOf(b.by))
  const loaded =
    best &&
    (await lookingInto(best.partition, best.system, async (folder, entry) => {
      return { ...(await load(entry)), kernel: entry.kernel.path.slice(folder.length) }
    }))
  if (loaded) return loaded
  throw impossible(`no file system on ${partitions.join(', ')} has a menu or a kernel that this ramdisk understands`)
}

async function lookingInto<T>(
  partition: string,
  system: FileSystem,
  use: (folder: string, entry: FoundEntry) => Promise<T>,
): Promise<T | undefined> {
  const look = async (folder: string): Promise<T | undefined> => {
    const entry = await entryIn(folder, system.uuid)
    return entry && use(folder, entry)
  }
  return looking(partition, system, look, system.type === 'vfat' ? 'ro,nosuid,nodev,noexec' : undefined)
}

async function load({ kernel, initrds, commandLine }: FoundEntry): Promise<Loaded> {
  const native = libc()
  const number = KEXEC_FILE_LOAD[process.arch]
  if (!native || number === undefined) throw impossible(`this ramdisk has no means to load a kernel`)
  if (Buffer.byteLength(commandLine) > LONGEST_COMMAND_LINE)
    throw impossible(`its command line has more than ${LONGEST_COMMAND_LINE} bytes`)
  const sizes = await Promise.all([kernel, ...initrds].map(async ({ path, size }) => size ?? (await stat(path)).size))
  const total = sizes.reduce((sum, size) => sum + size, 0)
  if (total > LARGEST) throw impossible(`kernel and initrd have ${total} bytes`)
  const text = Buffer.from(`${commandLine}\0`)
  await using pieces = await openPieces(kernel, initrds)
  const flags = pieces.initrd < 0 ? NO_INITRAMFS : 0
  if (native.syscall(number, pieces.kernel, pieces.initrd, text.length, text, flags) !== 0)
    throw impossible(refusal(native.errno()))
  return { kernel: kernel.path, command_line: commandLine }
}

/** reboot(2): LINUX_REBOOT_CMD_KEXEC. Returns only where it fails. */
const REBOOT_KEXEC = 0x45_58_45_43

export function startLoaded(): never {
  const native = libc()
  native?.reboot(REBOOT_KEXEC)
  throw impossible(`the loaded kernel does not start (errno ${native?.errno() ?? 'unknown'})`)
}

function impossible(why: string): CommandFailure {
  return new CommandFailure('KexecError', `no kernel was loaded: ${why}`)
}
