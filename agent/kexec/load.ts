import { closeSync, openSync, readFileSync } from 'node:fs'
import { copyFile, mkdir, open, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { partitionPath } from '../disks/device.ts'
import type { Disk } from '../disks/disk.ts'
import { fileSystemOn } from '../disks/file-system.ts'
import { identityOf } from '../disks/identify.ts'
import { CommandFailure } from '../failure.ts'
import { looking } from '../loader/look.ts'
import { libc } from '../native/libc.ts'
import { entryIn, type FoundEntry } from './entry.ts'

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
  const numbers = root === undefined ? (await identityOf(disk)).partitions.map(({ number }) => number) : [root]
  const partitions = numbers.length === 0 ? [disk.name] : numbers.map((number) => partitionPath(disk.name, number))
  for (const partition of partitions) {
    const system = await fileSystemOn(partition)
    const loaded =
      system &&
      (await looking(partition, system, async (folder) => {
        const entry = await entryIn(folder, system.uuid)
        return entry && { ...(await load(entry)), kernel: entry.kernel.slice(folder.length) }
      }))
    if (loaded) return loaded
  }
  throw impossible(`no file system on ${partitions.join(', ')} has a menu or a kernel that this ramdisk understands`)
}

async function load(entry: FoundEntry): Promise<Loaded> {
  const native = libc()
  const number = KEXEC_FILE_LOAD[process.arch]
  if (!native || number === undefined) throw impossible(`this ramdisk has no means to load a kernel`)
  const { commandLine, kernel, initrds } = entry
  if (Buffer.byteLength(commandLine) > LONGEST_COMMAND_LINE)
    throw impossible(`its command line has more than ${LONGEST_COMMAND_LINE} bytes`)
  const sizes = await Promise.all([kernel, ...initrds].map(async (file) => (await stat(file)).size))
  const total = sizes.reduce((sum, size) => sum + size, 0)
  if (total > LARGEST) throw impossible(`kernel and initrd have ${total} bytes`)
  const initrd = await joined(initrds)
  const text = Buffer.from(`${commandLine}\0`)
  const [kernelFile, initrdFile] = [openSync(kernel, 'r'), initrd === undefined ? -1 : openSync(initrd.path, 'r')]
  try {
    const flags = initrd === undefined ? NO_INITRAMFS : 0
    if (native.syscall(number, kernelFile, initrdFile, text.length, text, flags) !== 0)
      throw impossible(refusal(native.errno()))
  } finally {
    closeSync(kernelFile)
    if (initrdFile >= 0) closeSync(initrdFile)
    await initrd?.forget()
  }
  return { kernel, command_line: commandLine }
}

const PLACE = '/run/kexec'

/** Of several, one behind the other, as boot loaders give them to the kernel. */
async function joined(initrds: readonly string[]): Promise<{ path: string; forget(): Promise<void> } | undefined> {
  const [first, ...others] = initrds
  if (first === undefined) return undefined
  if (others.length === 0) return { path: first, forget: () => Promise.resolve() }
  await mkdir(PLACE, { recursive: true })
  const path = join(PLACE, 'initrd')
  await copyFile(first, path)
  const file = await open(path, 'a')
  try {
    for (const other of others) await file.appendFile(readFileSync(other))
  } finally {
    await file.close()
  }
  return { path, forget: () => rm(path, { force: true }) }
}

const EPERM = 1
const ENOSYS = 38
/** linux/asm-generic/errno.h: what a signature that nobody trusts is answered with. */
const EKEYREJECTED = 129

function refusal(errno: number): string {
  if (errno === EPERM || errno === EKEYREJECTED)
    return 'the running kernel refuses it, as Secure Boot does with kernels that nobody it trusts has signed'
  if (errno === ENOSYS) return 'the running kernel has no kexec'
  return `the running kernel refuses it (errno ${errno})`
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
