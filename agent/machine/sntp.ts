import { createSocket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import { lookup } from 'node:dns/promises'

/** SNTP (RFC 4330): one question, one answer. */

const PORT = 123
const LENGTH = 48
/** Seconds from NTP's epoch, 1900, to Unix's. */
const EPOCH = 2_208_988_800
/** RFC 4330 §3: with the highest bit unset, seconds count from 2036 on. */
const ERA = 2 ** 32

/** How far the clock of this machine is behind the server's, in milliseconds. */
export async function askTime(server: string, seconds: number, now: () => number, port = PORT): Promise<number> {
  const { address } = await lookup(server)
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4')
  const question = Buffer.alloc(LENGTH)
  question[0] = 0b00_100_011 // version 4, client
  const sent = now()
  writeStamp(question, 40, sent)
  try {
    const answer = await new Promise<Buffer>((resolve, reject) => {
      const late = setTimeout(
        () => reject(new Error(`${server} did not tell the time within ${seconds} s`)),
        seconds * 1000,
      )
      socket.on('error', reject)
      socket.on('close', () => clearTimeout(late))
      // Only the answer to this very question counts: it repeats our time stamp.
      socket.on('message', (bytes, from) => {
        const isOurs = from.address === address && from.port === port && bytes.length >= LENGTH
        if (isOurs && bytes.subarray(24, 32).equals(question.subarray(40, 48))) resolve(bytes)
      })
      socket.send(question, port, address, (error) => error && reject(error))
    })
    const arrived = now()
    return offsetOf(answer, sent, arrived, server)
  } finally {
    socket.close()
  }
}

/** RFC 4330 §5: half of what the way there and the way back took is taken off. */
function offsetOf(answer: Buffer, sent: number, arrived: number, server: string): number {
  const [leap, mode, stratum] = [answer[0]! >> 6, answer[0]! & 7, answer[1]!]
  if (mode !== 4 || leap === 3 || stratum === 0 || stratum > 15)
    throw new Error(`${server} does not know the time itself`)
  return (readStamp(answer, 32) - sent + (readStamp(answer, 40) - arrived)) / 2
}

function readStamp(bytes: Buffer, at: number): number {
  const seconds = bytes.readUInt32BE(at)
  const whole = seconds >= 0x8000_0000 ? seconds : seconds + ERA
  return (whole - EPOCH) * 1000 + (bytes.readUInt32BE(at + 4) / ERA) * 1000
}

function writeStamp(bytes: Buffer, at: number, milliseconds: number): void {
  const seconds = milliseconds / 1000 + EPOCH
  bytes.writeUInt32BE(Math.floor(seconds) % ERA, at)
  bytes.writeUInt32BE(Math.floor((seconds % 1) * ERA), at + 4)
}
