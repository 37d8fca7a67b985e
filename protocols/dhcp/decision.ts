import type { LeaseChange } from './lease.ts'
import type { DhcpPacket } from './packet.ts'
import type { RequestType } from './request.ts'
import type { Subnet } from './subnet.ts'

/** What the product says about one client. Whatever it decides, it says why, for the log. */
export type Answer =
  | { serve: false; because: string }
  | {
      serve: true
      because: string
      /** Reserved for this client, in or out of the range. */
      address?: number
      /** It is reserved for a place or a client's own name: who asks there now has it, whoever had it before. */
      takesOver?: boolean
      /** Before an address is offered that this client never had: ask whether a host answers there. */
      probe?: boolean
      /** It is on this network, whatever is configured. */
      subnet?: Subnet
      hostname?: string
      /** Sent as it is, replacing what the subnet says. */
      options?: ReadonlyMap<number, Uint8Array>
      /** siaddr and, as text, option 66; `file`, where there is one to name, and option 67. */
      boot?: { server: number; file: string }
    }

export type Destination =
  | { to: 'relay' | 'client'; address: number }
  /** Back to the address and port that the request came from: PXE 2.1 §2.2.4, the boot server's port. */
  | { to: 'source' }

/** The facts of one decision: enough for its one log line. */
export interface Facts {
  request: RequestType | 'leasequery'
  reply: 'offer' | 'ack' | 'nak' | 'none' | 'leaseactive' | 'leaseunassigned' | 'leaseunknown'
  mac: string
  because: string
  address?: string
  subnet?: string
  relay?: string
  file?: string
  /** Another server gave the address. */
  proxy?: boolean
}

export interface Decision {
  facts: Facts
  reply?: { packet: DhcpPacket; destination: Destination; limit: number }
  /** The reply may leave when nobody answers at this address. */
  probe?: number
  changes: LeaseChange[]
}
