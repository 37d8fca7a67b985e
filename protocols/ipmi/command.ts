import { Reader } from '@bloomery/wire/reader.ts'
import { Writer } from '@bloomery/wire/writer.ts'
import { type Codec, rest } from './fields.ts'

/** IPMI 2.0 §5.1. A response's network function is its request's + 1. */
export const netFns = { chassis: 0x00, sensor: 0x04, app: 0x06, storage: 0x0a, transport: 0x0c, group: 0x2c } as const

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

/** Any command at all, its bytes as they are: a vendor's own, or one without a row here. */
export function raw(netFn: number, code: number): Command<Uint8Array, Uint8Array> {
  const name = `raw 0x${netFn.toString(16).padStart(2, '0')} 0x${code.toString(16).padStart(2, '0')}`
  return { name, netFn, code, needs: 'administrator', request: rest, response: rest }
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
