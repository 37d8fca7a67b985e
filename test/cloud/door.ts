import { type IncomingHttpHeaders, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { serve, type Serving } from './serve.ts'

export interface Knock {
  method: string
  url: URL
  headers: IncomingHttpHeaders
  body: Buffer
}

export interface Refusal {
  status: number
  type: string
  body: string
}

/** Stands before an emulator and turns away what the real service would. */
export async function startDoor(emulator: string, refuse: (knock: Knock) => Refusal | undefined): Promise<Serving> {
  return serve((incoming, outgoing) => {
    pass(emulator, refuse, incoming, outgoing).catch((error: unknown) => outgoing.writeHead(500).end(String(error)))
  })
}

async function pass(
  emulator: string,
  refuse: (knock: Knock) => Refusal | undefined,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const { headers, method = '' } = incoming
  const body = await buffer(incoming)
  const refusal = refuse({ method, url: new URL(incoming.url ?? '', 'http://localhost'), headers, body })
  if (refusal) {
    outgoing.writeHead(refusal.status, { 'content-type': refusal.type }).end(refusal.body)
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

/** Whose access key signed the request, in its header or its query. */
export function callerOf({ headers, url }: Pick<Knock, 'headers' | 'url'>): string | undefined {
  const credential =
    url.searchParams.get('X-Amz-Credential') ?? /Credential=([^,]+)/.exec(headers.authorization ?? '')?.[1]
  return credential?.split('/')[0]
}
