import { createHash } from 'node:crypto'
import { type IncomingMessage, request, type ServerResponse } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { presignedBy } from './presigned.ts'
import { serve, type Serving } from './serve.ts'

/** S3's door before an emulator that has none: it refuses requests that are unsigned, expired or signed for something else, and
 * bodies that belie their checksum. */
export async function startObjectStore(emulator: string, secret: string): Promise<Serving> {
  return serve((incoming, outgoing) => {
    pass(emulator, secret, incoming, outgoing).catch((error: unknown) => outgoing.writeHead(500).end(String(error)))
  })
}

async function pass(
  emulator: string,
  secret: string,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const { headers } = incoming
  const method = incoming.method ?? ''
  const url = new URL(incoming.url ?? '', 'http://localhost')
  const body = await buffer(incoming)
  const signed = url.searchParams.has('X-Amz-Signature')
  const trusted = signed
    ? presignedBy(secret, { method, url, headers }, new Date())
    : headers.authorization !== undefined
  if (!trusted) {
    fault(outgoing, 403, 'AccessDenied')
    return
  }
  const checksum = headers['x-amz-checksum-sha256']
  if (method === 'PUT' && checksum && createHash('sha256').update(body).digest('base64') !== checksum) {
    fault(outgoing, 400, 'BadDigest')
    return
  }
  const onward = request(`${emulator}${incoming.url}`, {
    method,
    headers: { ...headers, host: new URL(emulator).host },
  })
  onward.on('response', (answer) => {
    outgoing.writeHead(answer.statusCode ?? 500, answer.headers)
    answer.pipe(outgoing)
  })
  onward.on('error', (error) => outgoing.destroy(error))
  onward.end(body)
}

function fault(outgoing: ServerResponse, status: number, code: string): void {
  outgoing.writeHead(status, { 'content-type': 'application/xml' })
  outgoing.end(`<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`)
}
