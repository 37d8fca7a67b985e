import { request } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'

const ANSWER_MS = 60_000
const SETTLE_MS = 60_000
const LOOK_MS = 100

/** One request of the script. */
export interface Ask {
  method: string
  path: string
  /** A string is sent as it is. */
  body?: unknown
  /** Minor; undefined: no header. */
  minor?: number
  headers?: Record<string, string>
}

/** Instead of a request: until nothing goes on with a node. */
export interface Wait {
  settled: string
}

export interface Reply {
  status: number
  headers: Record<string, string>
  body: string
}

export function exchange(endpoint: string, { method, path, body, minor, headers = {} }: Ask): Promise<Reply> {
  const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body)
  const sent: Record<string, string> = {
    ...(minor === undefined ? {} : { 'x-openstack-ironic-api-version': `1.${minor}` }),
    ...(text === undefined
      ? {}
      : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(text)) }),
    ...headers,
  }
  const { hostname: host, port } = new URL(endpoint)
  return new Promise((resolve, reject) => {
    const call = request({ host, port, method, path, headers: sent, agent: false, timeout: ANSWER_MS }, (reply) => {
      const chunks: Buffer[] = []
      reply.on('data', (chunk: Buffer) => chunks.push(chunk))
      reply.on('error', reject)
      reply.on('end', () =>
        resolve({
          status: reply.statusCode ?? 0,
          headers: Object.fromEntries(Object.entries(reply.headers).map(([name, value]) => [name, String(value)])),
          body: Buffer.concat(chunks).toString(),
        }),
      )
    })
    call.on('timeout', () => call.destroy(new Error(`${method} ${path}: no answer within ${ANSWER_MS / 1000} s`)))
    call.on('error', reject)
    call.end(text)
  })
}

/** A node is at rest when it has no target, neither of power nor of provision, and nobody holds it. */
export async function settle(endpoint: string, { settled: node }: Wait): Promise<void> {
  const deadline = performance.now() + SETTLE_MS
  for (;;) {
    const { status, body } = await exchange(endpoint, { method: 'GET', path: `/v1/nodes/${node}`, minor: 82 })
    if (status !== 200) return // that it isn't there is a difference that its next request shows
    const {
      target_power_state: power,
      target_provision_state: provision,
      reservation,
      provision_state: state,
    } = JSON.parse(body) as Record<string, string | null>
    const rests =
      (provision === null || /failed|error|wait|hold/.test(state ?? '')) && power === null && reservation === null
    if (rests) return
    if (performance.now() > deadline)
      throw new Error(
        `${endpoint}: node ${node} is ${state} on its way to ${provision ?? power} for ${SETTLE_MS / 1000} s`,
      )
    await pause(LOOK_MS)
  }
}
