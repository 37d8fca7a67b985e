import { ipv4FromText } from './address.ts'
import { AF_INET, Arena, SOCKADDR4 } from './arena.ts'
import { BatchIncoming } from './batch-incoming.ts'
import { BatchOutgoing } from './batch-outgoing.ts'
import { DatagramWatch } from './datagram-watch.ts'
import type { Ipv4Socket, Ipv4SocketOptions } from './ipv4-socket.ts'
import { failed, type Libc } from './libc.ts'

// asm-generic/socket.h, bits/socket_type.h
const SOCK_DGRAM_NONBLOCK_CLOEXEC = 2 | 0x800 | 0x80000
const SOL_SOCKET = 1
const SO_BROADCAST = 6
const SO_SNDBUF = 7
const SO_RCVBUF = 8
const SO_BINDTODEVICE = 25
const SO_SNDBUFFORCE = 32
const SO_RCVBUFFORCE = 33
const SEND_BUFFER = 1_048_576

/** Datagrams by the batch (recvmmsg, sendmmsg) on a socket of our own making. What is sent within one turn leaves together. */
export function openBatchSocket(native: Libc, options: Ipv4SocketOptions): Ipv4Socket {
  const fd = boundSocket(native, options)
  const incoming = new BatchIncoming(native, fd, options)
  const outgoing = new BatchOutgoing(native, fd, options.onError)
  const watch = new DatagramWatch(native, fd, options, () => incoming.take())
  const port = started(watch, () => native.close(fd))
  let deaf: Promise<void> | undefined
  const deafen = (): Promise<void> => (deaf ??= watch.stop())
  return {
    port,
    batches: true,
    send: (bytes, to) => outgoing.send(bytes, to),
    deafen: () => void deafen(),
    async close() {
      outgoing.close()
      await deafen()
      native.close(fd)
    },
  }
}

function started(watch: DatagramWatch, onFailure: () => void): number {
  try {
    return watch.start()
  } catch (error) {
    onFailure()
    throw error
  }
}

function boundSocket(native: Libc, { host, port, receiveBuffer, device }: Ipv4SocketOptions): number {
  const arena = new Arena(native, 64)
  const fd = native.socket(AF_INET, SOCK_DGRAM_NONBLOCK_CLOEXEC, 0)
  if (fd < 0) throw failed('socket', native.errno())
  const set = (option: number, value: number): boolean => {
    arena.u32(32, value)
    return native.setsockopt(fd, SOL_SOCKET, option, arena.address + 32, 4) === 0
  }
  set(SO_BROADCAST, 1)
  // FORCE goes beyond net.core.rmem_max, and wants CAP_NET_ADMIN; without that, what the system allows.
  if (!set(SO_RCVBUFFORCE, receiveBuffer)) set(SO_RCVBUF, receiveBuffer)
  if (!set(SO_SNDBUFFORCE, SEND_BUFFER)) set(SO_SNDBUF, SEND_BUFFER)
  if (device !== undefined && !boundToDevice(native, fd, device)) {
    const error = failed(`bind to the interface ${device}`, native.errno())
    native.close(fd)
    throw error
  }
  arena.sockaddr4(0, ipv4FromText(host), port)
  if (native.bind(fd, arena.address, SOCKADDR4) === 0) return fd
  const error = failed(`bind ${host}:${port}`, native.errno())
  native.close(fd)
  throw error
}

/** socket(7): a name of at most IFNAMSIZ - 1 bytes. */
function boundToDevice(native: Libc, fd: number, device: string): boolean {
  const name = Buffer.from(`${device.slice(0, 15)}\0`)
  const arena = new Arena(native, 16)
  arena.bytes.set(name)
  return native.setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, arena.address, name.length) === 0
}
