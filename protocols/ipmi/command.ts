import { Reader } from '@bloomery/wire/reader.ts'
import { Writer } from '@bloomery/wire/writer.ts'
import type { Codec } from './fields.ts'

/** IPMI 2.0 §5.1. A response's network function is its request's + 1. */
export const netFns = { chassis: 0x00, app: 0x06 } as const

/** §22.18 and appendix G, weakest first. */
export const privileges = { callback: 1, user: 2, operator: 3, administrator: 4 } as const
export type Privilege = keyof typeof privileges

export interface Command<Request, Response> {
  readonly name: string
  readonly netFn: number
  readonly code: number
  /** Appendix G: the least privilege that may send it; `none` needs no session. */
  readonly needs: Privilege | 'none'
  readonly request: Codec<Request>
  readonly response: Codec<Response>
}

export type ResponseOf<C> = C extends { readonly response: Codec<infer R> } ? R : never

export function command<Request, Response>(row: Command<Request, Response>): Command<Request, Response> {
  return row
}

export function encodeWith<T>(codec: Codec<T>, value: T): Uint8Array {
  const writer = new Writer(32)
  codec.write(writer, value)
  return writer.finish()
}

/** Bytes beyond the declared fields are let be: later revisions of the specification and vendors append some. */
export function decodeWith<T>(codec: Codec<T>, bytes: Uint8Array): T {
  return codec.read(new Reader(bytes))
}
