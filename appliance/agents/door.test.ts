import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { lookupReply, maskedToken } from '../../contract/agent.ts'
import { openAgentRows, type AgentRows } from '../ledger/agents.ts'
import { openLedger, type Ledger } from '../ledger/ledger.ts'
import { openMachines, type Machines } from '../ledger/machines.ts'
import { openVault } from '../ledger/vault.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { memoryLog } from '../testing/memory-log.ts'
import { machine } from '../testing/plans.ts'
import { agentDoor } from './door.ts'

const mac = '52:54:00:00:00:01'
const callback = 'https://192.0.2.9:9999'
const of = machine({ driver_info: { ipmi_password: 'hush' }, properties: { cpu_arch: 'x86_64' } })
let ledger: Ledger
let machines: Machines
let rows: AgentRows
let log: ReturnType<typeof memoryLog>
let expected: boolean
let seen: string[]
let door: ReturnType<typeof agentDoor>

beforeEach(() => {
  ledger = openLedger(':memory:')
  machines = openMachines(ledger, () => 'boot token')
  machines.learn(of, 1)
  rows = openAgentRows(ledger, openVault('key'))
  log = memoryLog()
  expected = true
  seen = []
  let tokens = 0
  door = agentDoor({
    machines,
    rows,
    clock: new ManualClock(),
    token: () => `a-token-of-at-least-thirty-two-letters-${(tokens += 1)}`,
    events: { seen: (address, kind) => void seen.push(`${kind} ${address}`) },
    expectsAgent: () => expected,
    log,
  })
})
afterEach(() => ledger.close())

const speaking = (version: string) => ({ headers: { 'X-OpenStack-Ironic-API-Version': version } })
const lookup = (query = `addresses=${mac}`): Promise<Response> | Response =>
  door.request(`/v1/lookup?${query}`, speaking('1.62'))
function beat(body: unknown, node = of.node): Promise<Response> | Response {
  return door.request(`/v1/heartbeat/${node}`, {
    ...speaking('1.68'),
    method: 'POST',
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
}
async function tokenOf(reply: Response | Promise<Response>): Promise<string> {
  return lookupReply.parse(await (await reply).json()).config.agent_token
}
async function refusal(asked: Response | Promise<Response>): Promise<[number, string]> {
  const reply = await asked
  const body = (await reply.json()) as { error_message: string }
  return [reply.status, (JSON.parse(body.error_message) as { faultstring: string }).faultstring]
}

describe('lookup', () => {
  it('finds the machine by any spelling of its MAC, among others', async () => {
    const reply = await lookup('addresses=00:00:00:00:00:99,52-54-00-00-00-01')
    expect(reply.status).toBe(200)
    const found = lookupReply.parse(await reply.json())
    expect(found.node).toMatchObject({ uuid: of.node, properties: { cpu_arch: 'x86_64' } })
    expect(found.config).toMatchObject({ heartbeat_timeout: 300, agent_token_required: true, tls_min_version: '1.2' })
    expect(seen).toEqual([`lookup ${mac}`])
  })

  it('finds it by its node', async () => {
    expect((await lookup(`node_uuid=${of.node}`)).status).toBe(200)
  })

  it('tells nothing of driver_info', async () => {
    expect(await (await lookup()).text()).not.toContain('hush')
  })

  it('gives the token once, and ****** to who comes later, until the next boot', async () => {
    const first = await tokenOf(lookup())
    expect(first.length).toBeGreaterThanOrEqual(32)
    expect(await tokenOf(lookup())).toBe(maskedToken)
    rows.wipe(of.node)
    const next = await tokenOf(lookup())
    expect(next).not.toBe(first)
    expect(next).not.toBe(maskedToken)
  })

  it.each(['', 'addresses=', 'addresses=hello', 'node_uuid=7', `addresses=${'00:00:00:00:00:01,'.repeat(101)}`])(
    'of "%.30s" is a bad request',
    async (query) => {
      expect((await refusal(lookup(query)))[0]).toBe(400)
    },
  )

  it('of an unknown machine, or one that nothing is planned for, finds nothing', async () => {
    expect((await refusal(lookup('addresses=00:00:00:00:00:99')))[0]).toBe(404)
    expect((await refusal(lookup('node_uuid=00000000-0000-4000-8000-000000000000')))[0]).toBe(404)
    expected = false
    expect((await refusal(lookup()))[0]).toBe(404)
    expect(rows.get(of.node)).toBeUndefined()
  })
})

describe('heartbeat', () => {
  let token: string
  beforeEach(async () => (token = await tokenOf(lookup())))
  const good = () => ({ callback_url: callback, agent_token: token, agent_version: '11', agent_verify_ca: 'pem' })

  it('says where the agent is and what proves it', async () => {
    const reply = await beat(good())
    expect(reply.status).toBe(202)
    expect(await reply.text()).toBe('')
    expect(rows.get(of.node)).toMatchObject({ url: callback, certificate: 'pem', version: '11' })
    expect(seen).toContain(`heartbeat ${mac}`)
  })

  it.each([
    ['without a token', { agent_token: undefined }, 'Agent token is required'],
    ['with a wrong token', { agent_token: 'x'.repeat(40) }, 'Invalid or missing agent token'],
    ['with the mask for a token', { agent_token: maskedToken }, 'Invalid or missing agent token'],
    ['from where nothing is hidden', { callback_url: 'http://192.0.2.9:9999' }, 'must use https'],
    ['of an installer without an API', { callback_url: '' }, 'must use https'],
    ['with a callback that is none', { callback_url: 'ftp://x' }, 'Heartbeat not understood'],
  ])('%s is refused', async (_, change, why) => {
    const [status, text] = await refusal(beat({ ...good(), ...change }))
    expect([status, text]).toEqual([400, expect.stringContaining(why)])
    expect(rows.get(of.node)?.heartbeatAt).toBeUndefined()
  })

  it('can’t be moved to another address', async () => {
    await beat(good())
    const [status, text] = await refusal(beat({ ...good(), callback_url: 'https://192.0.2.66:9999' }))
    expect([status, text]).toEqual([400, 'Detected change in ramdisk provided callback_url'])
    expect(rows.get(of.node)?.url).toBe(callback)
    expect((await beat(good())).status).toBe(202)
  })

  it('of a node that runs no ramdisk finds nothing', async () => {
    expect((await refusal(beat(good(), '00000000-0000-4000-8000-000000000000')))[0]).toBe(404)
    rows.wipe(of.node)
    expect((await refusal(beat(good())))[0]).toBe(404)
  })

  it('larger than a megabyte is not read', async () => {
    expect((await refusal(beat({ ...good(), more: 'x'.repeat(1024 * 1024) })))[0]).toBe(413)
  })

  it('keeps tokens out of the log', async () => {
    await beat(good())
    await beat({ ...good(), agent_token: 'x'.repeat(40) })
    expect(JSON.stringify(log.lines)).not.toContain(token)
  })

  it('answers 20,000 mutilated bodies, and none of them as a failure of its own', { timeout: 60_000 }, async () => {
    const whole = JSON.stringify(good())
    let state = 12345
    const random = (below: number): number => (state = (state * 1103515245 + 12345) % 2147483648) % below
    const scraps = [
      '"',
      '{',
      '}',
      '[',
      ']',
      '\\u0000',
      '\u0000',
      'null',
      '-1',
      '1e999',
      '\ud800',
      'é',
      ':',
      ',',
      '__proto__',
    ]
    const statuses = new Map<number, number>()
    for (let each = 0; each < 20_000; each += 1) {
      let body = whole
      for (let cuts = random(4) + 1; cuts > 0; cuts -= 1) {
        const at = random(body.length + 1)
        body = body.slice(0, at) + scraps[random(scraps.length)]! + body.slice(at + random(12))
      }
      const { status } = await beat(body)
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
    }
    expect([...statuses.keys()].filter((status) => status !== 400 && status !== 202)).toEqual([])
    expect(statuses.get(400)).toBeGreaterThan(10_000)
  })
})

describe('every answer', () => {
  it.each(['/', '/v1', '/v1/lookup', '/v1/nodes'])('of %s names the versions that are spoken', async (path) => {
    const reply = await door.request(path, { headers: { 'X-OpenStack-Ironic-API-Version': '1.62' } })
    expect(reply.headers.get('X-OpenStack-Ironic-API-Version')).toBe('1.62')
    expect(reply.headers.get('X-OpenStack-Ironic-API-Minimum-Version')).toBe('1.1')
    expect(reply.headers.get('X-OpenStack-Ironic-API-Maximum-Version')).toMatch(/^1\.\d+$/)
  })

  it('to what is not served is a fault in Ironic’s form', async () => {
    expect((await refusal(door.request('/v1/nodes')))[0]).toBe(404)
  })

  it('to a failure of our own tells the log what it was and the network nothing', async () => {
    ledger.db.exec('drop table agent')
    expect(await refusal(lookup())).toEqual([500, 'Internal error'])
    expect(log.lines.at(-1)).toMatchObject({ level: 'error', facts: { error: expect.stringContaining('agent') } })
  })
})
