import { createRequire } from 'node:module'
import type Koffi from 'koffi'

/** System calls that Node has no words for. */
export interface Libc {
  socket(family: number, type: number, protocol: number): number
  bind(fd: number, address: Buffer): number
  setsockopt(fd: number, level: number, name: number, value: Buffer): number
  /** Into the buffer; how much, or -1. */
  recv(fd: number, into: Buffer, flags: number): number
  /** Has the kernel make so many bytes zeros (fallocate(2), FALLOC_FL_ZERO_RANGE), however long that takes, beside this thread. False: it can't. */
  zeroRange(fd: number, offset: number, length: number): Promise<boolean>
  close(fd: number): number
  ioctl(fd: number, request: number, argument: Buffer): number
  /** With its fourth argument in memory, as kexec_file_load has it. */
  syscall(number: number, a: number, b: number, c: number, d: Buffer, e: number): number
  /** reboot(2) without its magic numbers, as libc has it. */
  reboot(command: number): number
  /** Where these bytes are: for structures that point to them. They must outlive the call. */
  address(bytes: Buffer): bigint
  /** Of the last call that failed. */
  errno(): number
}

const FALLOC_FL_KEEP_SIZE = 1
const FALLOC_FL_ZERO_RANGE = 0x10

/** In the ramdisk; elsewhere the package's own place. */
const OF_RAMDISK = '/usr/lib/bloomery/koffi.node'

let loaded: Libc | false | undefined

/** Undefined: the ramdisk of this processor has none. */
export function libc(): Libc | undefined {
  loaded ??= load() ?? false
  return loaded || undefined
}

function load(): Libc | undefined {
  const koffi = binding()
  if (!koffi) return undefined
  const lib = koffi.load('libc.so.6')
  const bind = lib.func('int bind(int, uintptr_t, uint32_t)')
  const setsockopt = lib.func('int setsockopt(int, int, int, uintptr_t, uint32_t)')
  const fallocate = lib.func('int fallocate(int, int, int64_t, int64_t)')
  const recv = lib.func('int64_t recv(int, uintptr_t, size_t, int)')
  const ioctl = lib.func('int ioctl(int, unsigned long, uintptr_t)')
  const syscall = lib.func('int64_t syscall(int64_t, int64_t, int64_t, int64_t, uintptr_t, int64_t)')
  const at = (bytes: Buffer): number => Number(koffi.address(bytes))
  return {
    socket: lib.func('int socket(int, int, int)'),
    bind: (fd, address) => bind(fd, at(address), address.length) as number,
    setsockopt: (fd, level, name, value) => setsockopt(fd, level, name, at(value), value.length) as number,
    recv: (fd, into, flags) => Number(recv(fd, at(into), into.length, flags)),
    zeroRange: (fd, offset, length) =>
      new Promise((resolve) => {
        const done = (error: unknown, result: number): void => resolve(!error && result === 0)
        fallocate.async(fd, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, offset, length, done)
      }),
    close: lib.func('int close(int)'),
    ioctl: (fd, request, argument) => ioctl(fd, request, at(argument)) as number,
    syscall: (number, a, b, c, d, e) => Number(syscall(number, a, b, c, at(d), e)),
    reboot: lib.func('int reboot(int)'),
    address: (bytes) => koffi.address(bytes),
    errno: () => koffi.errno(),
  }
}

function binding(): typeof Koffi | undefined {
  const module: { exports: Partial<typeof Koffi> } = { exports: {} }
  try {
    process.dlopen(module, OF_RAMDISK)
    return module.exports as typeof Koffi
  } catch {
    // Not in the ramdisk.
  }
  try {
    return createRequire(import.meta.url)('koffi') as typeof Koffi
  } catch {
    return undefined
  }
}
