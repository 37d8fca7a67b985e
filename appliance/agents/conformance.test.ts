import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openAgentRows, type AgentRows } from '../ledger/agents.ts'
import { openLedger, type Ledger } from '../ledger/ledger.ts'
import { openMachines } from '../ledger/machines.ts'
import { openVault } from '../ledger/vault.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { memoryLog } from '../testing/memory-log.ts'
import { machine, port } from '../testing/plans.ts'
import { agentDoor } from './door.ts'
import { postedInventories } from './posted.ts'

/** Rules of the ironic-python-agent protocol at the site's door, each as its reference states it; requests as that agent sends them. */

const first = '52:54:00:00:00:01'
const second = '52:54:00:00:00:02'
const of = machine({ properties: { cpu_arch: 'x86_64' }, instance_info: { a: 1 }, ports: [port(first), port(second)] })
const unknown = '00000000-0000-4000-8000-000000000000'
const pem = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n'
const TOKEN = 'a-token-of-at-least-thirty-two-letters-1'

let ledger: Ledger
let rows: AgentRows
let door: ReturnType<typeof agentDoor>

beforeEach(() => {
  ledger = openLedger(':memory:')
  const machines = openMachines(ledger, () => 'boot token')
  machines.learn(of, 1)
  rows = openAgentRows(ledger, openVault('key'))
  door = agentDoor({
    machines,
    rows,
    clock: new ManualClock(),
    token: () => TOKEN,
    events: { seen: () => {} },
    expectsAgent: () => true,
    posted: postedInventories(() => true),
    log: memoryLog(),
  })
})
afterEach(() => ledger.close())

interface Reply {
  status: number
  headers: Headers
  body: Record<string, unknown>
}

async function ask(method: string, path: string, version?: string, body?: unknown): Promise<Reply> {
  const reply = await door.request(path, {
    method,
    headers: {
      'user-agent': 'python-requests/2.31.0',
      'accept-encoding': 'gzip, deflate',
      accept: 'application/json',
      'content-type': 'application/json',
      ...(version !== undefined && { 'x-openstack-ironic-api-version': version }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  const text = await reply.text()
  return { status: reply.status, headers: reply.headers, body: text === '' ? {} : (JSON.parse(text) as Reply['body']) }
}
const lookup = (query: string, version = '1.62') => ask('GET', `/v1/lookup?${query}`, version)
const beat = (change: object = {}, version = '1.68', node = of.node) =>
  ask('POST', `/v1/heartbeat/${node}`, version, {
    callback_url: 'https://192.0.2.9:9999',
    agent_token: TOKEN,
    agent_version: '11.2.0',
    agent_verify_ca: pem,
    ...change,
  })

describe('versions', () => {
  it('are negotiated from default_version.version of the root document, which needs no header', async () => {
    const { status, body } = await ask('GET', '/')
    expect(status).toBe(200)
    const { version, min_version } = body['default_version'] as Record<string, string>
    expect([Number(version?.split('.')[1]) >= 68, min_version]).toEqual([true, '1.1'])
  })

  it.each([
    [undefined, 200, '1.1'],
    ['1.31', 200, '1.31'],
    ['latest', 200, '1.115'],
    ['1.116', 406, '1.1'],
    ['2.1', 406, '1.1'],
    ['1.x', 406, '1.1'],
  ])('asked in %s it answers %i in %s, with what it can do', async (asked, status, spoken) => {
    const reply = await ask('GET', '/v1/', asked)
    expect([reply.status, reply.headers.get('x-openstack-ironic-api-version')]).toEqual([status, spoken])
    expect(reply.headers.get('x-openstack-ironic-api-minimum-version')).toBe('1.1')
    expect(reply.headers.get('x-openstack-ironic-api-maximum-version')).toBe('1.115')
  })
})

describe('lookup', () => {
  it('answers with the node and with every key of the configuration', async () => {
    const { status, body } = await lookup(`addresses=${encodeURIComponent(`${first},${second}`)}`)
    expect(status).toBe(200)
    const { node, config } = body as { node: object; config: object }
    expect(Object.keys(node).sort()).toEqual(['driver_internal_info', 'instance_info', 'links', 'properties', 'uuid'])
    expect(Object.keys(config).sort()).toEqual([
      'agent_containers',
      'agent_md5_checksum_enable',
      'agent_skip_bmc_detect',
      'agent_token',
      'agent_token_required',
      'disable_deep_image_inspection',
      'enable_bios_bootloader_install',
      'heartbeat_timeout',
      'metrics',
      'metrics_statsd',
      'permitted_image_formats',
      'tls_cipher_suites',
      'tls_min_version',
    ])
    expect(config).toMatchObject({ heartbeat_timeout: 300, agent_token: TOKEN, agent_token_required: true })
  })

  it.each([
    ['all cards of the machine', `addresses=${first},${second}`, 200],
    ['one that is known among others', `addresses=02:00:00:00:00:09,${second}`, 200],
    ['an InfiniBand card beside its own', `addresses=${Array(20).fill('80').join(':')},${first}`, 200],
    ['the node that inspection told it', `addresses=02:00:00:00:00:09&node_uuid=${of.node}`, 200],
    ['cards that nobody has', 'addresses=02:00:00:00:00:09', 404],
    ['a node that is not there', `addresses=${first}&node_uuid=${unknown}`, 404],
    ['nothing', '', 400],
    ['nothing usable', 'addresses=x,y', 400],
    ['a uuid that is none', `addresses=${first}&node_uuid=7`, 400],
  ])('by %s', async (_, query, status) => {
    expect((await lookup(query)).status).toBe(status)
  })

  it('of before 1.22 is not there', async () => {
    expect((await lookup(`addresses=${first}`, '1.21')).status).toBe(404)
  })

  it('gives no token that was arranged beforehand, nor one twice', async () => {
    rows.giveToken(of.node, 'of the medium, thirty-two letters', new Date())
    const shown = async () =>
      ((await lookup(`addresses=${first}`)).body['config'] as { agent_token: string }).agent_token
    expect(await shown()).toBe('******')
    rows.wipe(of.node)
    expect([await shown(), await shown()]).toEqual([TOKEN, '******'])
  })
})

describe('heartbeat', () => {
  beforeEach(() => lookup(`addresses=${first}`))

  it.each([
    ['as it is', {}, '1.68', 202],
    [
      'without a certificate, of an agent that speaks plain HTTP',
      { callback_url: 'http://192.0.2.9:9999' },
      '1.68',
      400,
    ],
    ['without a token', { agent_token: undefined }, '1.68', 400],
    ['with the token of another', { agent_token: 'b'.repeat(43) }, '1.68', 400],
    ['with the mask for a token', { agent_token: '******' }, '1.68', 400],
    ['with a field that its version has not: the certificate', {}, '1.67', 400],
    ['with a field that its version has not: the token', { agent_verify_ca: undefined }, '1.61', 400],
    ['with a field that its version has not: the status', { agent_status: 'start' }, '1.71', 400],
    ['of before 1.22', {}, '1.21', 404],
    ['with keys that nobody knows', { something: 'new' }, '1.68', 202],
    ['without a callback', { callback_url: undefined }, '1.68', 400],
    ['over IPv6', { callback_url: 'https://[2001:db8::9]:9999' }, '1.68', 202],
  ])('%s', async (_, change, version, status) => {
    expect((await beat(change, version)).status).toBe(status)
    expect(rows.get(of.node)?.heartbeatAt !== undefined).toBe(status === 202)
  })

  it('of a node that is not there', async () => {
    expect((await beat({}, '1.68', unknown)).status).toBe(404)
  })

  it('again and again is 202; from elsewhere it is not, in the words that Ironic has for it', async () => {
    for (let nth = 0; nth < 3; nth += 1) expect((await beat()).status).toBe(202)
    const { status, body } = await beat({ callback_url: 'https://192.0.2.10:9999' })
    const fault = JSON.parse(body['error_message'] as string) as Record<string, unknown>
    expect([status, fault]).toEqual([
      400,
      { faultcode: 'Client', faultstring: 'Detected change in ramdisk provided callback_url', debuginfo: null },
    ])
  })
})

describe('continue_inspection', () => {
  const found = { inventory: { interfaces: [{ mac_address: first }] } }
  const inspected = (version: string | undefined, query = '', body: unknown = found) =>
    ask('POST', `/v1/continue_inspection${query}`, version, body)

  it.each([
    [undefined, '', 202],
    ['1.1', '', 202],
    ['1.2', '', 404],
    ['1.83', '', 404],
    ['1.84', '', 202],
    [undefined, `?node_uuid=${of.node}`, 400],
    ['1.84', `?node_uuid=${of.node}`, 202],
    ['1.84', `?node_uuid=${unknown}`, 404],
  ])('of version %s%s is answered %i', async (version, query, status) => {
    expect((await inspected(version, query)).status).toBe(status)
  })

  it('says which node it is in the old dialect, and what lookup would say in the new one', async () => {
    expect((await inspected(undefined)).body).toEqual({ uuid: of.node })
    const { body } = await inspected('1.84')
    expect(body).toMatchObject({ node: { uuid: of.node }, config: { agent_token: TOKEN } })
  })

  it.each([
    [1 << 20, 202],
    [15 << 20, 202],
    [17 << 20, 413],
  ])('with an archive of logs of %i bytes is answered %i', async (size, status) => {
    expect((await inspected(undefined, '', { ...found, logs: 'a'.repeat(size) })).status).toBe(status)
  })
})
