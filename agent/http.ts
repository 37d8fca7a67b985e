import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { rootCertificates } from 'node:tls'
import { withoutSecrets } from './log.ts'

/** Whom to believe when a URL is https. */
export interface Trust {
  /** PEM of the site's authority, which is trusted beside the public ones: images may lie anywhere. */
  ca?: string
  insecure?: boolean
}

export interface Asking {
  url: string
  method?: 'GET' | 'POST'
  headers?: Record<string, string>
  body?: string
  /** Without a byte for this long, the request fails. */
  seconds: number
}

export interface Answer {
  status: number
  headers: IncomingMessage['headers']
  body: Buffer
}

const mostRedirects = 5

/** Sends a request, follows redirects, and gives the reply as a stream that fails when it stalls. */
export async function open(trust: Trust, asking: Asking, redirects = 0): Promise<IncomingMessage> {
  const reply = await send(trust, asking)
  const { location } = reply.headers
  if (![301, 302, 303, 307, 308].includes(reply.statusCode ?? 0) || location === undefined) return reply
  reply.destroy()
  if (redirects === mostRedirects)
    throw new Error(`${withoutSecrets(asking.url)}: more than ${mostRedirects} redirects`)
  const url = new URL(location, asking.url)
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw new Error(`${withoutSecrets(asking.url)} redirects to ${url.protocol}, which is not http`)
  const headers = { ...asking.headers }
  if (url.origin !== new URL(asking.url).origin) delete headers.authorization
  return open(trust, { ...asking, url: url.href, headers }, redirects + 1)
}

/** Sends a request and reads the whole reply, up to a limit. */
export async function ask(trust: Trust, asking: Asking, limit = 1024 * 1024): Promise<Answer> {
  const chunks: Buffer[] = []
  const { status, headers } = await receive(trust, asking, limit, (chunk) => chunks.push(chunk))
  return { status, headers, body: Buffer.concat(chunks) }
}

/** Sends a request and reads the whole reply into memory that is there already. */
export async function askInto(
  trust: Trust,
  asking: Asking,
  into: Uint8Array,
): Promise<{ status: number; body: Uint8Array }> {
  let size = 0
  const spent: ArrayBufferLike[] = []
  const { status } = await receive(trust, asking, into.length, (chunk) => {
    into.set(chunk, size)
    size += chunk.length
    spent.push(chunk.buffer)
  })
  setImmediate(() => spent.forEach(giveBack))
  return { status, body: into.subarray(0, size) }
}

/** Memory that a piece came in, when the socket is done with it. Left to the collector, some gigabytes of it cost more than all the rest of receiving. */
function giveBack(memory: ArrayBufferLike): void {
  // That which Node shares between buffers refuses.
  if (memory instanceof ArrayBuffer && !memory.detached && memory.byteLength > 8192) memory.transfer(0)
}

async function receive(
  trust: Trust,
  asking: Asking,
  limit: number,
  take: (chunk: Buffer) => void,
): Promise<{ status: number; headers: IncomingMessage['headers'] }> {
  const reply = await open(trust, asking)
  let size = 0
  await new Promise<void>((resolve, reject) => {
    reply.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size <= limit) take(chunk)
      else reply.destroy(new Error(`${withoutSecrets(asking.url)}: the reply is larger than ${limit} bytes`))
    })
    reply.on('end', resolve).on('error', reject)
    reply.on('close', () => reject(new Error(`${withoutSecrets(asking.url)}: the reply broke off`)))
  })
  return { status: reply.statusCode ?? 0, headers: reply.headers }
}

function roots({ ca }: Trust): string[] | undefined {
  return ca === undefined ? undefined : [...rootCertificates, ca]
}

function send(trust: Trust, asking: Asking): Promise<IncomingMessage> {
  const secure = asking.url.startsWith('https:')
  const options = {
    method: asking.method ?? 'GET',
    headers: { 'accept-encoding': 'identity', ...asking.headers },
    ...(secure ? { ca: roots(trust), rejectUnauthorized: !trust.insecure } : {}),
  }
  return new Promise((resolve, reject) => {
    const request = (secure ? httpsRequest : httpRequest)(asking.url, options, resolve)
    // A socket's timeout only covers silence once it is connected; this one covers everything up to the headers.
    const late = setTimeout(
      () => request.destroy(new Error(`no reply within ${asking.seconds} s`)),
      asking.seconds * 1000,
    )
    request.on('response', (reply: IncomingMessage) => {
      clearTimeout(late)
      reply.setTimeout(asking.seconds * 1000, () => reply.destroy(new Error(`no byte for ${asking.seconds} s`)))
    })
    request.on('error', (cause) => {
      clearTimeout(late)
      reject(new Error(`${withoutSecrets(asking.url)} failed`, { cause }))
    })
    request.end(asking.body)
  })
}
