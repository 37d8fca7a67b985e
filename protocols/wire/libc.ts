import { createRequire } from 'node:module'
import { endianness } from 'node:os'
import type Koffi from 'koffi'

/** A file descriptor, or -1. Addresses are numbers: user space ends far below 2^53 on both architectures. */
export interface Libc {
  socket(family: number, type: number, protocol: number): number
  bind(fd: number, address: number, length: number): number
  connect(fd: number, address: number, length: number): number
  getsockname(fd: number, address: number, length: number): number
  setsockopt(fd: number, level: number, name: number, value: number, length: number): number
  getsockopt(fd: number, level: number, name: number, value: number, length: number): number
  recvmmsg(fd: number, messages: number, count: number, flags: number, timeout: number): number
  sendmmsg(fd: number, messages: number, count: number, flags: number): number
  recvfrom(fd: number, bytes: number, length: number, flags: number, address: number, addressLength: number): number
  sendmsg(fd: number, message: number, flags: number): number
  epoll_create1(flags: number): number
  epoll_ctl(epoll: number, operation: number, fd: number, event: number): number
  epoll_wait(epoll: number, events: number, most: number, milliseconds: number): number
  eventfd(count: number, flags: number): number
  read(fd: number, bytes: number, length: number): number
  write(fd: number, bytes: number, length: number): number
  preadv(fd: number, pieces: number, count: number, offset: number): number
  sendfile(to: number, from: number, offset: number, count: number): number
  /** Of the thread that calls, where `thread` is 0. */
  sched_getaffinity(thread: number, size: number, processors: number): number
  sched_setaffinity(thread: number, size: number, processors: number): number
  dup(fd: number): number
  close(fd: number): number
  /** Of the last call that failed, on this thread. */
  errno(): number
  /** Where a buffer's bytes are. They stay there for as long as the buffer is referenced: see `Arena`. */
  addressOf(bytes: Uint8Array): number
}

let loaded: Libc | undefined | false

/**
 * System calls that Node has no words for, where they can be made: Linux, 64 bits, little-endian, glibc. Undefined elsewhere,
 * and where the optional package koffi is not there: whoever asks has another way.
 */
export function libc(): Libc | undefined {
  loaded ??= load() ?? false
  return loaded || undefined
}

function load(): Libc | undefined {
  const known = process.platform === 'linux' && ['x64', 'arm64'].includes(process.arch) && endianness() === 'LE'
  if (!known) return undefined
  try {
    const koffi = createRequire(import.meta.url)('koffi') as typeof Koffi
    const lib = koffi.load('libc.so.6')
    return {
      socket: lib.func('int socket(int, int, int)'),
      bind: lib.func('int bind(int, uintptr_t, uint32_t)'),
      connect: lib.func('int connect(int, uintptr_t, uint32_t)'),
      getsockname: lib.func('int getsockname(int, uintptr_t, uintptr_t)'),
      setsockopt: lib.func('int setsockopt(int, int, int, uintptr_t, uint32_t)'),
      getsockopt: lib.func('int getsockopt(int, int, int, uintptr_t, uintptr_t)'),
      recvmmsg: lib.func('int recvmmsg(int, uintptr_t, unsigned int, int, uintptr_t)'),
      sendmmsg: lib.func('int sendmmsg(int, uintptr_t, unsigned int, int)'),
      recvfrom: lib.func('int recvfrom(int, uintptr_t, size_t, int, uintptr_t, uintptr_t)'),
      sendmsg: lib.func('int sendmsg(int, uintptr_t, int)'),
      epoll_create1: lib.func('int epoll_create1(int)'),
      epoll_ctl: lib.func('int epoll_ctl(int, int, int, uintptr_t)'),
      epoll_wait: lib.func('int epoll_wait(int, uintptr_t, int, int)'),
      eventfd: lib.func('int eventfd(unsigned int, int)'),
      read: lib.func('int read(int, uintptr_t, size_t)'),
      write: lib.func('int write(int, uintptr_t, size_t)'),
      preadv: lib.func('int preadv(int, uintptr_t, int, int64_t)'),
      sendfile: lib.func('int sendfile(int, int, uintptr_t, size_t)'),
      sched_getaffinity: lib.func('int sched_getaffinity(int, size_t, uintptr_t)'),
      sched_setaffinity: lib.func('int sched_setaffinity(int, size_t, uintptr_t)'),
      dup: lib.func('int dup(int)'),
      close: lib.func('int close(int)'),
      errno: () => koffi.errno(),
      addressOf: (bytes) => Number(koffi.address(bytes)),
    }
  } catch {
    return undefined // no koffi for this platform, or another C library
  }
}

/** From asm-generic, the same on x86-64 and arm64. */
export const Errno = {
  EPERM: 1,
  EINTR: 4,
  EAGAIN: 11,
  ENODEV: 19,
  EADDRINUSE: 98,
  EMSGSIZE: 90,
  EINVAL: 22,
  EIO: 5,
  ENOBUFS: 105,
  ECONNREFUSED: 111,
} as const

export function failed(call: string, errno: number): Error & { code?: string } {
  const name = Object.entries(Errno).find(([, number]) => number === errno)?.[0]
  return Object.assign(new Error(`${call} failed: ${name ?? `errno ${errno}`}`), { code: name })
}
