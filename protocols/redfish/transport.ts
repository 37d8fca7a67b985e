/** One HTTP request and its answer, whole: the seam under the client. */
export interface Request {
  method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE'
  /** Path and query on the BMC. */
  path: string
  headers: Readonly<Record<string, string>>
  body?: string | Uint8Array | BodySource
  timeoutMs: number
}

/** A body that is too large to be held, read anew for each attempt. */
export interface BodySource {
  readonly size: number
  read(): AsyncIterable<Uint8Array>
}

export interface Reply {
  status: number
  headers: Readonly<Record<string, string | string[] | undefined>>
  body: Uint8Array
}

/** An answer that has no end. `chunks` ends, or rejects with a TransportFault, when the connection does. */
export interface ReplyStream extends Pick<Reply, 'status' | 'headers'> {
  readonly chunks: AsyncIterable<Uint8Array>
  close(): void
}

export interface Transport {
  /** Rejects with a TransportFault, nothing else. */
  send(request: Request): Promise<Reply>
  /** Resolves at the head of the answer, within the request's time; on a connection of its own. Rejects as `send`. */
  open(request: Request): Promise<ReplyStream>
  close(): void
}

export type FaultKind =
  | 'name'
  | 'refused'
  | 'reset'
  | 'stale'
  | 'silent'
  | 'tls'
  | 'flood'
  | 'unsendable'
  | 'unreadable'

/** Why there is no answer. `stale`: a kept connection had been closed by the BMC before the request could reach it;
 * `unreadable`: what was to be sent couldn't be had. */
export class TransportFault extends Error {
  readonly kind: FaultKind

  constructor(kind: FaultKind, problem: string, cause?: unknown) {
    super(problem, { cause })
    this.name = 'TransportFault'
    this.kind = kind
  }
}

export function header(reply: Pick<Reply, 'headers'>, name: string): string | undefined {
  const value = reply.headers[name]
  return Array.isArray(value) ? value[0] : value
}
