import type { TftpOptions } from './packet.ts'

export const ETHERNET_MTU = 1_500
/** IP, UDP and TFTP's own. */
const HEADERS = { 4: 20 + 8 + 4, 6: 40 + 8 + 4 }
/** A datagram over IPv4 that isn't fragmented on Ethernet. */
export const MAX_BLKSIZE = ETHERNET_MTU - HEADERS[4]
export const MAX_WINDOW = 64

export interface Terms {
  blksize: number
  windowsize: number
  /** Set where the client asked for a fixed time between retransmissions (RFC 2349). */
  timeoutMs?: number
  /** What the OACK says; empty where nothing was agreed, and then there is no OACK. */
  agreed: Map<string, string>
  /** The client asked for the size, so it may only want to know that. */
  sizeAsked: boolean
}

/** An option that is unknown or out of its range is left out of the OACK, which refuses it: RFC 2347. */
export function negotiate(options: TftpOptions, size: number, maxBlksize = MAX_BLKSIZE): Terms {
  const terms: Terms = { blksize: 512, windowsize: 1, agreed: new Map(), sizeAsked: false }
  const blksize = whole(options.get('blksize'), 8, 65_464) // RFC 2348
  if (blksize !== undefined) {
    terms.blksize = Math.min(blksize, maxBlksize)
    terms.agreed.set('blksize', String(terms.blksize))
  }
  const windowsize = whole(options.get('windowsize'), 1, 65_535) // RFC 7440
  if (windowsize !== undefined) {
    terms.windowsize = Math.min(windowsize, MAX_WINDOW)
    terms.agreed.set('windowsize', String(terms.windowsize))
  }
  const timeout = whole(options.get('timeout'), 1, 255) // RFC 2349
  if (timeout !== undefined) {
    terms.timeoutMs = timeout * 1_000
    terms.agreed.set('timeout', String(timeout))
  }
  if (whole(options.get('tsize'), 0, Number.MAX_SAFE_INTEGER) !== undefined) {
    terms.sizeAsked = true
    terms.agreed.set('tsize', String(size))
  }
  return terms
}

/** The largest block that leaves whole on a way of this MTU: firmware that puts fragments together is rare. */
export function blksizeFor(mtu: number, version: 4 | 6): number {
  return Math.max(8, Math.min(mtu, ETHERNET_MTU) - HEADERS[version])
}

export function whole(value: string | undefined, min: number, max: number): number | undefined {
  if (value === undefined || !/^\d{1,15}$/.test(value)) return undefined
  const number = Number(value)
  return number >= min && number <= max ? number : undefined
}
