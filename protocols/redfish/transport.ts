/** One HTTP request and its answer, whole: the seam under the client. */
export interface Request {
  method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE'
  /** Path and query on the BMC. */
  path: string
  headers: Readonly<Record<string, string>>
  body?: string | Uint8Array
  timeoutMs: number
}

export interface Reply {
  status: number
  headers: Readonly<Record<string, string | string[] | undefined>>
  body: Uint8Array
}

export interface Transport {
  /** Rejects with a TransportFault, nothing else. */
  send(request: Request): Promise<Reply>
  close(): void
}

export type FaultKind = 'name' | 'refused' | 'reset' | 'stale' | 'silent' | 'tls' | 'flood' | 'unsendable'

/** Why there is no answer. `stale`: a kept connection had been closed by the BMC before the request could reach it. */
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
