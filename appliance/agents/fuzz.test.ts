import { FUZZ_DEADLINE_MS, fuzzAsync, fuzzInputs } from '@bloomery/wire/fuzzing.ts'
import { expect, it, onTestFinished } from 'vitest'
import { openAgentRows } from '../ledger/agents.ts'
import { openLedger } from '../ledger/ledger.ts'
import { openMachines } from '../ledger/machines.ts'
import { openVault } from '../ledger/vault.ts'
import type { Log } from '../log.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { machine } from '../testing/plans.ts'
import { agentDoor } from './door.ts'

const of = machine({ driver_info: { ipmi_password: 'hush' } })
const TOKEN = 'a-token-of-at-least-thirty-two-letters'
const MiB = 1024 * 1024
const INPUTS = fuzzInputs(2_000)
const nothing = (): void => {}
const log: Log = { debug: nothing, info: nothing, warn: nothing, error: nothing }

function setUp() {
  const ledger = openLedger(':memory:')
  onTestFinished(() => ledger.close())
  const machines = openMachines(ledger, () => 'boot token')
  machines.learn(of, 1)
  const rows = openAgentRows(ledger, openVault('key'))
  const clock = new ManualClock()
  const door = agentDoor({
    machines,
    rows,
    clock,
    token: () => TOKEN,
    events: { seen: nothing },
    expectsAgent: () => true,
    log,
  })
  return { door, rows, clock }
}

it(
  'whatever a lookup asks, it is answered with the machine or a fault, and nothing is told of the BMC',
  async () => {
    const { door } = setUp()
    const seeds = [
      'addresses=52:54:00:00:00:01',
      'addresses=52-54-00-00-00-01,00:00:00:00:00:99&node_uuid=',
      `node_uuid=${of.node}`,
    ].map((query) => Buffer.from(query))
    const before = process.memoryUsage.rss()
    const seen = await fuzzAsync(seeds, INPUTS, async (bytes, count) => {
      const query = Buffer.from(bytes)
        .toString('latin1')
        .replaceAll(/[^\x21-\x7e]|#/g, encodeURIComponent)
      const version = count % 97 === 0 ? query.slice(0, 20) : '1.62'
      const reply = await door.request(`/v1/lookup?${query}`, {
        headers: { 'X-OpenStack-Ironic-API-Version': version },
      })
      const text = await reply.text()
      if (reply.status >= 500 || text.includes('hush')) throw new Error(`${reply.status} ${text}`)
      return `${'ok'.repeat(Number(reply.ok))} ${faultOf(text)}`
    })
    expect(seen.size).toBeGreaterThan(3)
    expect(process.memoryUsage.rss() - before).toBeLessThan(512 * MiB)
  },
  FUZZ_DEADLINE_MS,
)

it(
  'whatever a heartbeat says, it is taken or a fault; without its token it changes nothing',
  async () => {
    const { door, rows, clock } = setUp()
    rows.giveToken(of.node, TOKEN, clock.now())
    const beat = { callback_url: 'https://192.0.2.9:9999', agent_token: TOKEN, agent_version: '9.4' }
    const seeds = [
      beat,
      { ...beat, agent_verify_ca: '-----BEGIN CERTIFICATE-----' },
      { ...beat, agent_status: 'start', agent_status_message: 'x' },
    ].map((body) => Buffer.from(JSON.stringify(body)))
    const before = process.memoryUsage.rss()
    const seen = await fuzzAsync(seeds, INPUTS, async (bytes) => {
      const was = JSON.stringify(rows.get(of.node))
      const reply = await door.request(`/v1/heartbeat/${of.node}`, {
        method: 'POST',
        headers: { 'X-OpenStack-Ironic-API-Version': '1.68' },
        body: Buffer.from(bytes),
      })
      const text = await reply.text()
      if (reply.status >= 500) throw new Error(`${reply.status} ${text}`)
      const is = JSON.stringify(rows.get(of.node))
      const isKnown = Buffer.from(bytes).includes(TOKEN)
      if (is !== was && (!isKnown || reply.status !== 202)) throw new Error(`${reply.status} changed ${was} to ${is}`)
      return reply.status === 202 ? 'taken' : faultOf(text)
    })
    expect(seen.get('taken')).toBeGreaterThan(0)
    expect(seen.size).toBeGreaterThan(3)
    expect(process.memoryUsage.rss() - before).toBeLessThan(512 * MiB)
  },
  FUZZ_DEADLINE_MS,
)

function faultOf(text: string): string {
  try {
    const { error_message: message } = JSON.parse(text) as { error_message?: string }
    if (message === undefined) return 'found'
    // What it repeats of the question is no news.
    return (JSON.parse(message) as { faultstring: string }).faultstring.replace(/^Version .* is not/, 'Version is not')
  } catch {
    return 'empty'
  }
}
