import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createClient } from '../../contract/api/client.ts'
import type { Progress } from '../../contract/messages.ts'
import type { Plan } from '../../contract/plan.ts'
import { serve, type Served } from './bloomery-process.ts'
import { connectByHand, enrol, planOf, type HandMade } from './hand-made-appliance.ts'

const patience = { timeout: 60_000, interval: 100 }
let dir: string
let cloud: Served

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'bloomery-killed-'))
  cloud = await serve(dir)
})
afterEach(async () => {
  await cloud?.kill('SIGKILL')
  await rm(dir, { recursive: true })
})

async function killedAndRestarted(): Promise<void> {
  await cloud.kill('SIGKILL')
  cloud = await serve(dir)
}

async function nodeOfSite(): Promise<string> {
  const client = createClient({ endpoint: cloud.endpoint })
  const driver_info = { ipmi_address: '192.0.2.1', ipmi_username: 'admin', ipmi_password: 'secret' }
  const { uuid } = await client.nodes.create({ driver: 'ipmi', conductor_group: 'berlin', driver_info })
  return uuid
}

function done(plan: Plan, seq: number): Progress {
  return {
    id: randomUUID(),
    seq,
    at: new Date().toISOString(),
    kind: 'progress',
    node: plan.node,
    generation: plan.generation,
    lane: plan.lane,
    plan: plan.id,
    ordinal: 1,
    phase: 'done',
    step: plan.steps.length - 1,
    percent: null,
    note: null,
    power_state: 'power off',
    boot_device: null,
    seconds: plan.steps.map(() => 0.1),
  }
}

async function withPlan(appliance: HandMade): Promise<Plan> {
  await appliance.alive(true)
  await expect.poll(() => appliance.commands.length, patience).toBe(1)
  return planOf(appliance)
}

describe('bloomery serve, killed', () => {
  it('has every write that it answered', async () => {
    const answered: string[] = []
    for (let round = 0; round < 3; round += 1) {
      const client = createClient({ endpoint: cloud.endpoint })
      const enough = Promise.withResolvers<void>()
      const writers = Array.from({ length: 8 }, async (_, writer) => {
        for (let index = 0; ; index += 1) {
          const name = `r${round}-w${writer}-${index}`
          try {
            await client.sites.create(name)
          } catch (error) {
            enough.reject(error) // it is not killed yet
            return
          }
          answered.push(name)
          if (answered.length >= (round + 1) * 60) enough.resolve()
        }
      })
      await enough.promise
      await cloud.kill('SIGKILL')
      await Promise.all(writers)
      cloud = await serve(dir)
    }
    const sites = await createClient({ endpoint: cloud.endpoint }).sites.list()
    const names = new Set(sites.map(({ name }) => name))
    expect(answered.filter((name) => !names.has(name))).toEqual([])
    expect(answered.length).toBeGreaterThanOrEqual(180)
  })

  it('goes on with an operation that it had accepted, and with a report that it had acknowledged', async () => {
    const client = createClient({ endpoint: cloud.endpoint })
    await client.sites.create('berlin')
    const enrolled = await enrol(cloud, 'berlin', 'rack-7')
    const node = await nodeOfSite()
    await client.nodes.provision(node, 'manage')
    await killedAndRestarted()

    const first = await connectByHand(cloud, enrolled)
    const plan = await withPlan(first)
    expect([plan.node, plan.kind]).toEqual([node, 'verify'])
    await first.alive(false)
    await first.report(done(plan, 1))
    await killedAndRestarted()

    const after = createClient({ endpoint: cloud.endpoint })
    await expect.poll(async () => (await after.nodes.get(node)).provision_state, patience).toBe('manageable')
    const second = await connectByHand(cloud, enrolled)
    const history = await after.nodes.history(node)
    await second.report(done(plan, 1))
    await expect.poll(second.received, patience).toBe(1)
    expect(await after.nodes.history(node)).toEqual(history)
    await second.close()
  })

  it('keeps its appliances: the certificate that one holds opens the restarted broker', async () => {
    await createClient({ endpoint: cloud.endpoint }).sites.create('berlin')
    const enrolled = await enrol(cloud, 'berlin', 'rack-7')
    await killedAndRestarted()
    const appliance = await connectByHand(cloud, enrolled)
    await appliance.alive(true)
    const { conductors } = createClient({ endpoint: cloud.endpoint })
    await expect.poll(async () => (await conductors.get('rack-7')).alive, patience).toBe(true)
    await appliance.close()
  })

  it('stops on SIGTERM with exit code 0, and frees its data directory', async () => {
    await createClient({ endpoint: cloud.endpoint }).sites.create('berlin')
    expect(await cloud.kill('SIGTERM')).toBe(0)
    cloud = await serve(dir)
    expect((await createClient({ endpoint: cloud.endpoint }).sites.list()).map(({ name }) => name)).toEqual(['berlin'])
  })

  it('refuses to run twice on one data directory, and says so', async () => {
    await expect(serve(dir)).rejects.toThrow(/in use by another bloomery process/)
  })
})
