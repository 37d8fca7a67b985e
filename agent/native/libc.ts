import { createRequire } from 'node:module'
import type Koffi from 'koffi'

/** System calls that Node has no words for. */
export interface Libc {
  socket(family: number, type: number, protocol: number): number
  bind(fd: number, address: Buffer): number
  setsockopt(fd: number, level: number, name: number, value: Buffer): number
  /** Into the buffer; how much, or -1. */
  recv(fd: number, into: Buffer, flags: number): number
  close(fd: number): number
  /** Of the last call that failed. */
  errno(): number
}

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
  const recv = lib.func('int64_t recv(int, uintptr_t, size_t, int)')
  const at = (bytes: Buffer): number => Number(koffi.address(bytes))
  return {
    socket: lib.func('int socket(int, int, int)'),
    bind: (fd, address) => bind(fd, at(address), address.length) as number,
    setsockopt: (fd, level, name, value) => setsockopt(fd, level, name, at(value), value.length) as number,
    recv: (fd, into, flags) => Number(recv(fd, at(into), into.length, flags)),
    close: lib.func('int close(int)'),
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
