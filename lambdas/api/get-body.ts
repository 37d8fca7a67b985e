import { BodyError } from './errors.ts'
import type { Call } from './context.ts'

/** Bodies of GET requests: `Request` can't hold one, and yet OpenStack's clients send them with the arguments of vendor methods. What the server
 * stands on hands them over beside the request. */

const MOST_BYTES = 8 * 1024

export interface BesideRequest {
  /** node's request, where there is one. */
  incoming?: AsyncIterable<Uint8Array>
  /** Lambda's event, without its body if it is a GET's. */
  event?: { bodyOfGet?: string }
}

export async function bodyOfGet(call: Call): Promise<Record<string, unknown>> {
  const text = await textOf((call.env ?? {}) as BesideRequest)
  if (text.trim() === '') return {}
  try {
    const body: unknown = JSON.parse(text)
    return typeof body === 'object' && body !== null && !Array.isArray(body) ? (body as Record<string, unknown>) : {}
  } catch {
    throw new BodyError(400, 'Request body is not JSON.')
  }
}

async function textOf({ incoming, event }: BesideRequest): Promise<string> {
  if (!incoming) return bounded(event?.bodyOfGet ?? '')
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of incoming) {
    size += chunk.byteLength
    if (size > MOST_BYTES) throw tooLarge()
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function bounded(text: string): string {
  if (text.length > MOST_BYTES) throw tooLarge()
  return text
}

const tooLarge = (): BodyError => new BodyError(413, `A body of GET has at most ${MOST_BYTES} bytes.`)

type LambdaEvent = { body?: string | null; isBase64Encoded?: boolean; requestContext?: object }

/** An event of API Gateway that a `Request` can be made of. */
export function withBodyBeside<E extends LambdaEvent>(event: E): E & { bodyOfGet?: string } {
  const { http } = (event.requestContext ?? {}) as { http?: { method?: string } }
  if (!event.body || (http?.method !== 'GET' && http?.method !== 'HEAD')) return event
  const { body, ...rest } = event
  const text = event.isBase64Encoded ? Buffer.from(body!, 'base64').toString('utf8') : body!
  return { ...rest, isBase64Encoded: false, bodyOfGet: text } as unknown as E & { bodyOfGet: string }
}
