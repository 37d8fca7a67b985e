import { Agent, request } from 'node:http'

/** One who asks, over so many connections at the most. */

export interface Ask {
  method: string
  path: string
  body?: unknown
}

const VERSION = { 'x-openstack-ironic-api-version': '1.82' }
const ANSWER_MS = 30_000

export class Caller {
  readonly #endpoint: URL
  readonly #agent: Agent

  constructor(endpoint: string, connections: number) {
    this.#endpoint = new URL(endpoint)
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections })
  }

  /** The reply's body; rejects on whatever is not a success. */
  call({ method, path, body }: Ask): Promise<string> {
    const { hostname: host, port } = this.#endpoint
    const text = body === undefined ? undefined : JSON.stringify(body)
    const headers = text === undefined ? VERSION : { ...VERSION, 'content-type': 'application/json' }
    return new Promise((resolve, reject) => {
      const options = { host, port, method, path, headers, agent: this.#agent, timeout: ANSWER_MS }
      const sent = request(options, (reply) => {
        const chunks: Buffer[] = []
        reply.on('data', (chunk: Buffer) => chunks.push(chunk))
        reply.on('error', reject)
        reply.on('end', () => {
          const told = Buffer.concat(chunks).toString()
          if ((reply.statusCode ?? 500) < 300) resolve(told)
          else reject(new Error(`${method} ${path}: ${reply.statusCode} ${told}`))
        })
      })
      sent.on('timeout', () => sent.destroy(new Error(`${method} ${path}: no answer within ${ANSWER_MS} ms`)))
      sent.on('error', reject)
      sent.end(text)
    })
  }

  close(): void {
    this.#agent.destroy()
  }
}

export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(Math.floor(sorted.length * share), sorted.length - 1)] ?? Number.NaN
}
