import { closeSync, openSync } from 'node:fs'
import type { Clock } from '../clock.ts'
import { libc, type Libc } from '../native/libc.ts'
import { run } from '../programs.ts'

/** From linux/ipmi.h and asm-generic/ioctl.h, for 64-bit kernels: direction, size of the structure, 'i', number. */
const SEND_COMMAND = 0x80_28_69_0d
const RECEIVE_MSG_TRUNC = 0xc0_30_69_0b
const SYSTEM_INTERFACE = 0x0c
const BMC_CHANNEL = 0x0f
const LARGEST_REPLY = 272

const PATIENCE_MS = 5000
const LOOK_MS = 20

/** The system interface of this machine's BMC. */
export interface IpmiDevice {
  /** Its reply, completion code first. */
  ask(netFn: number, command: number, data: readonly number[]): Promise<Buffer>
  close(): void
}

/** Undefined: the machine has no BMC that its kernel knows. */
export async function openIpmiDevice(clock: Clock): Promise<IpmiDevice | undefined> {
  const native = libc()
  if (!native) return undefined
  await run('modprobe', ['-q', '-a', 'ipmi_si', 'ipmi_devintf'], 30).catch(() => {})
  const fd = opened()
  if (fd === undefined) return undefined
  let asked = 0
  return {
    async ask(netFn, command, data) {
      asked += 1
      send(native, fd, asked, netFn, command, Buffer.from(data))
      const until = clock.now() + PATIENCE_MS
      for (;;) {
        const reply = receive(native, fd)
        if (reply?.id === asked) return reply.data
        if (clock.now() >= until) throw new Error(`the BMC did not answer within ${PATIENCE_MS / 1000} s`)
        if (!reply) await clock.sleep(LOOK_MS)
      }
    },
    close: () => closeSync(fd),
  }
}

function opened(): number | undefined {
  try {
    return openSync('/dev/ipmi0', 'r+')
  } catch {
    return undefined
  }
}

/** struct ipmi_system_interface_addr: type, channel, LUN. */
function systemInterface(): Buffer {
  const address = Buffer.alloc(8)
  address.writeInt32LE(SYSTEM_INTERFACE, 0)
  address.writeInt16LE(BMC_CHANNEL, 4)
  return address
}

/** struct ipmi_req: address and its length, id, then struct ipmi_msg. */
function send(native: Libc, fd: number, id: number, netFn: number, command: number, data: Buffer): void {
  const address = systemInterface()
  const request = Buffer.alloc(40)
  request.writeBigUInt64LE(native.address(address), 0)
  request.writeUInt32LE(address.length, 8)
  request.writeBigInt64LE(BigInt(id), 16)
  request.writeUInt8(netFn, 24)
  request.writeUInt8(command, 25)
  request.writeUInt16LE(data.length, 26)
  request.writeBigUInt64LE(data.length === 0 ? 0n : native.address(data), 32)
  if (native.ioctl(fd, SEND_COMMAND, request) !== 0) throw new Error(`the BMC was not asked: errno ${native.errno()}`)
}

/** struct ipmi_recv: type, address and its length, id, then struct ipmi_msg. Undefined: nothing has come yet. */
function receive(native: Libc, fd: number): { id: number; data: Buffer } | undefined {
  const [address, data, reply] = [Buffer.alloc(64), Buffer.alloc(LARGEST_REPLY), Buffer.alloc(48)]
  reply.writeBigUInt64LE(native.address(address), 8)
  reply.writeUInt32LE(address.length, 16)
  reply.writeUInt16LE(data.length, 34)
  reply.writeBigUInt64LE(native.address(data), 40)
  if (native.ioctl(fd, RECEIVE_MSG_TRUNC, reply) !== 0) return undefined
  return { id: Number(reply.readBigInt64LE(24)), data: data.subarray(0, reply.readUInt16LE(34)) }
}
