import { randomUUID } from 'node:crypto'
import { beforeEach, describe, expect, it } from 'vitest'
import type { ApiError } from '../../contract/api/client.ts'
import type { ConsoleAsk, ConsoleChunk } from '../../contract/console.ts'
import { commandsTo, withSite } from './control-plane.ts'
import { cloud, newNode, provision, site } from './one-site.ts'

/** Consoles as the cloud carries them, with a site that says what a test wants it to. */

let uuid: string
const stream = '00000091-0000-4000-8000-000000000001'
const from = '00000000-0000-4000-8000-0000000000aa'
beforeEach(async () => {
  uuid = await newNode({ console_interface: 'ipmitool-socat' })
})

const show = (seq: number, more: Partial<ConsoleChunk> = {}, appliance = site.uuid): Promise<void> => {
  const at = cloud.platform.clock.now().toISOString()
  const chunk = { stream, seq, at, state: 'active', note: null, text: `${seq};`, screen: null, ...more }
  return cloud.uplink(appliance, { v: 1, kind: 'console', node: uuid, chunk })
}
const asks = (): ConsoleAsk[] =>
  cloud.sent(site.uuid).flatMap((message) => (message.kind === 'console' && message.node === uuid ? [message.ask] : []))
const textOf = (chunks: ConsoleChunk[]): string => chunks.map(({ text }) => text ?? '').join('')
const refusal = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'not refused',
    (error: unknown) => `${(error as ApiError).status} ${(error as ApiError).message}`,
  )

describe('who watches', () => {
  it('has the site asked for the screen, and gets what it sends, once and in order', async () => {
    const { last } = await cloud.client.nodes.consoleStream(uuid)
    expect(asks()).toContainEqual({ act: 'watch', seconds: 30, snapshot: true })
    await show(1, { text: null, screen: ['login:'] })
    await show(2)
    await show(3)
    const first = await cloud.client.nodes.consoleStream(uuid, { after: last })
    expect(first.chunks.map(({ seq }) => seq)).toEqual([1, 2, 3])
    await show(3)
    await show(4)
    const second = await cloud.client.nodes.consoleStream(uuid, { after: first.last })
    expect(textOf(second.chunks)).toBe('4;')
  })

  it('renews at the site while he reads, however often he asks, and not when he is gone', async () => {
    let { last } = await cloud.client.nodes.consoleStream(uuid)
    const before = asks().length
    for (let n = 0; n < 20; n += 1) ({ last } = await cloud.client.nodes.consoleStream(uuid, { after: last }))
    expect(asks().length).toBe(before)
    cloud.pass(15)
    await cloud.client.nodes.consoleStream(uuid, { after: last })
    expect(asks().length).toBe(before + 1)
    expect(asks().at(-1)).toEqual({ act: 'watch', seconds: 30, snapshot: false })
  })

  it('who was too slow is given the screen anew', async () => {
    const { last } = await cloud.client.nodes.consoleStream(uuid)
    for (let seq = 1; seq <= 100; seq += 1) await show(seq)
    const before = asks().length
    const { chunks } = await cloud.client.nodes.consoleStream(uuid, { after: last })
    expect(chunks.at(-1)?.seq).toBe(100)
    expect(chunks.length).toBeLessThan(50)
    expect(asks().slice(before)).toContainEqual({ act: 'watch', seconds: 30, snapshot: true })
  })

  it('a new stream of the site is read from its beginning; what an old one says late is dropped', async () => {
    const { last } = await cloud.client.nodes.consoleStream(uuid)
    await show(1)
    const old = await cloud.client.nodes.consoleStream(uuid, { after: last })
    cloud.pass(5)
    const other = randomUUID()
    await show(1, { stream: other, text: 'new' })
    await show(2, { at: '2026-11-23T09:00:00.000Z', text: 'late' })
    expect(textOf((await cloud.client.nodes.consoleStream(uuid, { after: old.last })).chunks)).toBe('new')
  })

  it('nothing of another site’s appliance is shown', async () => {
    const { last } = await cloud.client.nodes.consoleStream(uuid)
    const { appliance } = await withSite(cloud, 'paris', 'box-9')
    await show(1, { text: 'forged' }, appliance)
    expect((await cloud.client.nodes.consoleStream(uuid, { after: last })).chunks).toEqual([])
  })

  it('is told when the site is away', async () => {
    cloud.pass(600)
    expect(await refusal(cloud.client.nodes.consoleStream(uuid))).toMatch(
      /^503 Site berlin is away: .* goes on recording/,
    )
  })
})

it('where replies can’t be sent in pieces, a stream of events ends behind the first ones, and is come back to', async () => {
  const { last } = await cloud.client.nodes.consoleStream(uuid)
  await show(1)
  const stream = async (id: string): Promise<string> => {
    const headers = { accept: 'text/event-stream', 'last-event-id': id, 'x-openstack-ironic-api-version': '1.115' }
    return (await cloud.request(`/v1/nodes/${uuid}/console/stream`, { headers })).text()
  }
  const first = await stream(last)
  expect(first).toMatch(/^retry: 1000\n\n[^]*event: chunk\n[^]*"text":"1;"/)
  await show(2)
  expect(await stream(/id: (\S+)/.exec(first)?.[1] ?? '')).toMatch(/"text":"2;"/)
})

it('what is typed goes down as it is, and is bounded', async () => {
  await cloud.client.nodes.consoleInput(uuid, { from, number: 1, text: 'root\r' })
  expect(asks()).toEqual([{ act: 'type', from, number: 1, text: 'root\r', line_break: false }])
  const most = cloud.client.nodes.consoleInput(uuid, { from, number: 2, text: 'x'.repeat(4097) })
  expect(await refusal(most)).toMatch(/^400 /)
  expect(JSON.stringify(cloud.logged)).not.toMatch(/root/)
})

it('the recording comes in parts, and is there when all of them are; those of another request are not', async () => {
  expect(await refusal(cloud.client.nodes.consoleLog(uuid))).toMatch(/^404 .*was not asked for: POST here first/)
  const { request } = await cloud.client.nodes.askConsoleLog(uuid, {})
  expect(asks()).toEqual([{ act: 'log', request }])
  const part = (of: string, number: number, text: string): Promise<void> =>
    cloud.uplink(site.uuid, { v: 1, kind: 'console_log', node: uuid, request: of, part: number, parts: 2, text })
  await part(randomUUID(), 0, 'other')
  await part(request, 1, 'two')
  expect((await cloud.client.nodes.consoleLog(uuid)).log).toBeNull()
  await part(request, 0, 'one')
  expect(await cloud.client.nodes.consoleLog(uuid)).toMatchObject({ request, log: 'onetwo' })
  expect([...cloud.blobs.keys()].filter((key) => key.startsWith('consoles/'))).toHaveLength(2)
  await cloud.client.nodes.delete(uuid)
  await cloud.settle()
  expect([...cloud.blobs.keys()].filter((key) => key.startsWith('consoles/'))).toEqual([])
})

it('switching a console on and off is told to the site by a command, and needs what the console needs', async () => {
  await cloud.client.nodes.setConsole(uuid, { enabled: true })
  await cloud.settle()
  expect((await cloud.client.nodes.get(uuid)).console_enabled).toBe(true)
  await cloud.client.nodes.setConsole(uuid, { enabled: false })
  await cloud.settle()
  const told = commandsTo(cloud, site.uuid).flatMap((each) => (each.kind === 'console' ? [each.enabled] : []))
  expect(told).toEqual([true, false])
  const old = { ipmi_address: '192.0.2.1', ipmi_protocol_version: '1.5' }
  await cloud.client.nodes.patch(uuid, [{ op: 'add', path: '/driver_info', value: old }])
  expect(await refusal(cloud.client.nodes.setConsole(uuid, { enabled: true }))).toMatch(/^400 .*IPMI 1.5 has no serial/)
  const validated = await cloud.client.nodes.validate(uuid)
  expect(validated['console']).toMatchObject({ result: false, reason: expect.stringMatching(/IPMI 1\.5/) })
})

it('the last screen of what failed is part of why, until something else fails or works', async () => {
  await provision(uuid, 'manage')
  const fail = (screen?: string[]): Promise<void> =>
    site.report(site.plan(uuid), 'failed', { note: 'no answer', ...(screen && { screen }) })
  await fail(['Kernel panic - not syncing', '---[ end'])
  const { screen } = await cloud.client.nodes.why(uuid)
  expect(screen?.lines).toEqual(['Kernel panic - not syncing', '---[ end'])
  await provision(uuid, 'manage')
  expect((await cloud.client.nodes.why(uuid)).screen).toBeNull()
  await fail()
  expect((await cloud.client.nodes.why(uuid)).screen).toBeNull()
})
