import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../clock.ts'
import { reason, type Log } from '../log.ts'
import { libc, type Libc } from '../native/libc.ts'
import { type Tlv, tlvsOf } from './tlvs.ts'

/** From linux/if_packet.h, linux/if_ether.h and bits/socket.h. */
const AF_PACKET = 17
const SOCK_RAW = 3
const SOCK_NONBLOCK = 0o4000
const SOL_PACKET = 263
const PACKET_ADD_MEMBERSHIP = 1
const ETHERTYPE = 0x88_cc
/** The groups that bridges don't pass on (IEEE 802.1AB §7.1): to the nearest bridge, of whichever kind. */
const groups = ['0180c200000e', '0180c2000003', '0180c2000000']

const LOOK_MS = 250
const LARGEST_FRAME = 9216

/** What each card's neighbour says of itself, within this time: switches tell it every 30 s. Cards without a neighbour are left out. */
export async function listenForLldp(
  cards: readonly string[],
  seconds: number,
  clock: Clock,
  log: Log,
): Promise<Record<string, Tlv[]>> {
  const native = libc()
  if (!native) {
    log.warn('no LLDP: this ramdisk has no means to listen for it')
    return {}
  }
  const until = clock.now() + seconds * 1000
  const heard = await Promise.all(
    cards.map(async (card) => {
      const tlvs = await listenOn(native, card, until, clock).catch((error: unknown) => {
        log.warn('no LLDP', { card, because: reason(error) })
      })
      return tlvs ? ([[card, tlvs]] as const) : []
    }),
  )
  return Object.fromEntries(heard.flat())
}

async function listenOn(native: Libc, card: string, until: number, clock: Clock): Promise<Tlv[] | undefined> {
  const index = Number(await readFile(join('/sys/class/net', card, 'ifindex'), 'utf8'))
  const fd = native.socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, swapped(ETHERTYPE))
  if (fd < 0) throw new Error(`no packet socket: errno ${native.errno()}`)
  try {
    if (native.bind(fd, linkAddress(index)) !== 0) throw new Error(`${card}: bind failed: errno ${native.errno()}`)
    for (const group of groups) native.setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, membership(index, group))
    const frame = Buffer.alloc(LARGEST_FRAME)
    for (;;) {
      const length = native.recv(fd, frame, 0)
      const tlvs = length > 0 ? tlvsOf(frame.subarray(0, length)) : undefined
      if (tlvs) return tlvs
      if (clock.now() >= until) return undefined
      if (length < 0) await clock.sleep(LOOK_MS)
    }
  } finally {
    native.close(fd)
  }
}

/** struct sockaddr_ll (packet(7)). */
function linkAddress(index: number): Buffer {
  const bytes = Buffer.alloc(20)
  bytes.writeUInt16LE(AF_PACKET, 0)
  bytes.writeUInt16BE(ETHERTYPE, 2)
  bytes.writeInt32LE(index, 4)
  return bytes
}

/** struct packet_mreq (packet(7)), for a multicast group (type 0). */
function membership(index: number, group: string): Buffer {
  const bytes = Buffer.alloc(16)
  bytes.writeInt32LE(index, 0)
  bytes.writeUInt16LE(6, 6)
  Buffer.from(group, 'hex').copy(bytes, 8)
  return bytes
}

function swapped(word: number): number {
  return ((word & 0xff) << 8) | (word >> 8)
}
