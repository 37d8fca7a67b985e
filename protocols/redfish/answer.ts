import { type JsonObject, objectOf, textAt } from './json.ts'
import { type Message, messagesOf } from './messages.ts'
import { retryAfter } from './retry.ts'
import { header, type Reply } from './transport.ts'

/** A reply as Redfish means it. */
export interface Answer {
  status: number
  /** Undefined when there is none; `malformed` when what came is no JSON object. */
  body: JsonObject | undefined
  malformed: boolean
  messages: readonly Message[]
  /** Path of what was created or of the task monitor; of redirections the whole URL is in `redirect`. */
  location: string | undefined
  redirect: string | undefined
  etag: string | undefined
  token: string | undefined
  retryAfterMs: number | undefined
}

const LONGEST_LOCATION = 2048

export function answerOf(reply: Reply, origin: URL): Answer {
  const text = Buffer.from(reply.body)
    .toString('utf8')
    .replace(/^\uFEFF/, '')
    .trim()
  const body = text === '' ? undefined : parsed(text)
  const location = header(reply, 'location')
  return {
    status: reply.status,
    body,
    malformed: text !== '' && body === undefined,
    messages: body === undefined ? [] : messagesOf(body),
    location: location === undefined ? undefined : pathOf(location, origin),
    redirect: location,
    etag: header(reply, 'etag') ?? textAt(body, '@odata.etag'),
    token: header(reply, 'x-auth-token'),
    retryAfterMs: retryAfter(reply),
  }
}

/** Path and query of a URL or link. BMCs behind a relay tell names that only they know, so the host is not looked at:
 * whatever is asked is asked of the same BMC. */
export function pathOf(link: string, origin: URL): string | undefined {
  const url = link.length > LONGEST_LOCATION ? null : URL.parse(link, origin.href)
  return url && (url.protocol === 'https:' || url.protocol === 'http:') ? url.pathname + url.search : undefined
}

function parsed(text: string): JsonObject | undefined {
  try {
    return objectOf(JSON.parse(text))
  } catch {
    return undefined
  }
}
