import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { buffer } from 'node:stream/consumers'
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda'
import { serve, type Serving } from './serve.ts'

type Invoke = (event: APIGatewayProxyEventV2) => Promise<APIGatewayProxyStructuredResultV2>

/** API Gateway's HTTP API before one function: requests as events of payload version 2.0, results as answers. */
export async function startGateway(invoke: Invoke): Promise<Serving> {
  return serve((incoming, outgoing) => {
    pass(invoke, incoming, outgoing).catch(() => {
      outgoing.writeHead(500, { 'content-type': 'application/json' }).end('{"message":"Internal Server Error"}')
    })
  })
}

async function pass(invoke: Invoke, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const body = await buffer(incoming)
  const {
    statusCode = 200,
    headers,
    cookies = [],
    body: text = '',
    isBase64Encoded,
  } = await invoke(eventOf(incoming, body))
  for (const [name, value] of Object.entries(headers ?? {})) outgoing.setHeader(name, String(value))
  if (cookies.length > 0) outgoing.setHeader('set-cookie', cookies)
  outgoing.writeHead(statusCode).end(Buffer.from(text, isBase64Encoded ? 'base64' : 'utf8'))
}

function eventOf(
  { method = 'GET', url = '/', headers, socket }: IncomingMessage,
  body: Buffer,
): APIGatewayProxyEventV2 {
  const { pathname, search, searchParams } = new URL(url, 'http://localhost')
  const flat = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]))
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath: pathname,
    rawQueryString: search.slice(1),
    queryStringParameters: Object.fromEntries(searchParams),
    headers: flat,
    requestContext: {
      accountId: '000000000000',
      apiId: 'test',
      domainName: flat['host'] ?? 'localhost',
      domainPrefix: 'test',
      http: {
        method,
        path: pathname,
        protocol: 'HTTP/1.1',
        sourceIp: socket.remoteAddress ?? '127.0.0.1',
        userAgent: flat['user-agent'] ?? '',
      },
      requestId: randomUUID(),
      routeKey: '$default',
      stage: '$default',
      time: new Date().toUTCString(),
      timeEpoch: Date.now(),
    },
    ...(body.length > 0 && { body: body.toString('base64') }),
    isBase64Encoded: body.length > 0,
  }
}
