import { describe, expect, it } from 'vitest'
import { createClient } from './client.ts'
import { faultBody } from './faults.ts'

interface Sent {
  url: string
  method: string | undefined
  headers: Record<string, string>
  body: unknown
}

function server(...replies: Array<{ status?: number; body?: unknown }>) {
  const sent: Sent[] = []
  const fetch = (async (url: string, init: RequestInit) => {
    sent.push({ url, method: init.method, headers: init.headers as Record<string, string>, body: init.body })
    const { status = 200, body } = replies[sent.length - 1] ?? {}
    return new Response(body === undefined ? null : JSON.stringify(body), { status })
  }) as typeof globalThis.fetch
  return { sent, fetch }
}

describe('the client', () => {
  it('asks for the newest version, with credentials, wherever the endpoint ends', async () => {
    const { sent, fetch } = server({ body: { uuid: 'u' } })
    const client = createClient({ endpoint: 'http://h:1/v1/', auth: { username: 'ü', password: 'p' }, fetch })
    await client.nodes.get('a b')
    expect(sent[0]?.url).toBe('http://h:1/v1/nodes/a%20b')
    expect(sent[0]?.headers).toMatchObject({
      'x-openstack-ironic-api-version': '1.115',
      authorization: `Basic ${Buffer.from('ü:p').toString('base64')}`,
    })
  })

  it('follows next by its query, not by its host', async () => {
    const { sent, fetch } = server(
      { body: { nodes: [{ uuid: '1' }], next: 'http://elsewhere/v1/nodes?limit=1&marker=1' } },
      { body: { nodes: [{ uuid: '2' }] } },
    )
    const nodes = await createClient({ endpoint: 'http://h', fetch }).nodes.list({ limit: 1 })
    expect(nodes.map(({ uuid }) => uuid)).toEqual(['1', '2'])
    expect(sent[1]?.url).toBe('http://h/v1/nodes?limit=1&marker=1')
  })

  it('throws the fault with its status', async () => {
    const { fetch } = server({ status: 409, body: faultBody(409, 'Node x is locked') })
    await expect(createClient({ endpoint: 'http://h', fetch }).nodes.delete('x')).rejects.toMatchObject({
      status: 409,
      message: 'Node x is locked',
    })
  })

  it('puts what a path names where it stands, and what else is given into body and query', async () => {
    const { sent, fetch } = server({}, {}, { body: { failures: [] } })
    const client = createClient({ endpoint: 'http://h', fetch })
    await client.nodes.removeTrait('a/b', 'CUSTOM_$&')
    await client.runbooks.setTraits('r', ['CUSTOM_A'])
    expect(await client.webhooks.failures('w', { limit: 5 })).toEqual([])
    expect(sent.map(({ method, url }) => `${method} ${url}`)).toEqual([
      'DELETE http://h/v1/nodes/a%2Fb/traits/CUSTOM_%24%26',
      'PUT http://h/v1/runbooks/r/traits',
      'GET http://h/v1/webhooks/w/failures?limit=5',
    ])
    expect(sent[1]?.body).toBe('{"traits":["CUSTOM_A"]}')
  })

  it('takes an empty answer for what it is', async () => {
    const { sent, fetch } = server({ status: 202 })
    const client = createClient({ endpoint: 'http://h', fetch })
    expect(await client.nodes.provision('x', 'active', { configdrive: { meta_data: {} } })).toBeUndefined()
    expect(sent[0]?.body).toBe('{"target":"active","configdrive":{"meta_data":{}}}')
  })
})
