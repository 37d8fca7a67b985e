import { randomUUID } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { stripVTControlCharacters } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createClient } from '../../contract/api/client.ts'
import type { Progress } from '../../contract/messages.ts'
import type { Plan } from '../../contract/plan.ts'
import { run, runOnTerminal, serve, type Ran, type Served } from './bloomery-process.ts'
import { connectByHand, enrol, planOf, type HandMade } from './hand-made-appliance.ts'

let dir: string
let cloud: Served
let appliance: HandMade
const stopping = new AbortController()
let reports = 0
/** The next plan fails with this after its image. */
let failNext: string | undefined
/** What the command that runs now has written, and what it shall have written before a step ends. */
let screen = ''
let awaited: Partial<Record<string, string>> = {}

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'bloomery-progress-'))
  cloud = await serve(join(dir, 'data'))
  const client = createClient({ endpoint: cloud.endpoint })
  await client.sites.create('berlin')
  appliance = await connectByHand(cloud, await enrol(cloud, 'berlin', 'rack-7'))
  await appliance.alive(true)
  const driver_info = { ipmi_address: '192.0.2.1', ipmi_username: 'admin', ipmi_password: 'secret' }
  const { uuid } = await client.nodes.create({ name: 'n1', driver: 'ipmi', conductor_group: 'berlin', driver_info })
  await client.ports.create({ node_uuid: uuid, address: '52:54:00:aa:00:01' })
  await writeFile(join(dir, 'i.raw'), 'not much of an image')
  await run(['image', 'push', join(dir, 'i.raw'), '--endpoint', cloud.endpoint])
  obeying = obey()
})
let obeying: Promise<void>
afterAll(async () => {
  stopping.abort()
  await obeying
  await appliance.close()
  await cloud.kill('SIGTERM')
  await rm(dir, { recursive: true })
})

/** Until the command has shown it: it looks now and then. */
async function shown(text = ''): Promise<void> {
  const until = Date.now() + 60_000
  // What is missing then is told by the test that misses it.
  while (!screen.includes(text) && Date.now() < until) await sleep(50)
}

/** Carries out each plan as a site would say it: steps that the tests look for last until they are seen. */
async function obey(): Promise<void> {
  let obeyed = 0
  while (!stopping.signal.aborted) {
    await sleep(50)
    if (appliance.commands.length === obeyed) continue
    obeyed = appliance.commands.length
    await appliance.alive(false)
    const plan = planOf(appliance)
    let ordinal = 0
    const say = (more: Partial<Progress>): Promise<void> => appliance.report(progress(plan, (ordinal += 1), more))
    const failure = failNext
    failNext = undefined
    for (const [step, { step: name, waits }] of plan.steps.entries()) {
      await say({ step, phase: waits ? 'waiting' : 'running' })
      if (name === 'write_image') await say({ step, phase: 'waiting', percent: 50 })
      await sleep(300)
      await shown(awaited[name])
      if (failure !== undefined && name === 'write_image') break
    }
    if (failure === undefined)
      await say({ step: plan.steps.length - 1, phase: 'done', seconds: plan.steps.map(() => 1.5) })
    else await say({ step: 4, phase: 'failed', note: failure, seconds: [1.5, 1.5, 1.5, 1.5, 1.5] })
  }
}

function progress(plan: Plan, ordinal: number, more: Partial<Progress>): Progress {
  const { node, generation, lane, id } = plan
  const what = { kind: 'progress', node, generation, lane, plan: id, ordinal } as const
  const at = new Date().toISOString()
  const nothing = { step: 0, percent: null, note: null, power_state: null, boot_device: null, seconds: [] }
  return { ...what, id: randomUUID(), seq: (reports += 1), at, phase: 'running', ...nothing, ...more }
}

function listen(to: typeof awaited): (text: string) => void {
  awaited = to
  screen = ''
  return (text) => void (screen += text)
}
const line = { write_image: 'write image 50%', erase_devices_metadata: 'erase devices metadata' }
const cli = (...args: string[]): Promise<Ran> =>
  run([...args, '--endpoint', cloud.endpoint], {}, undefined, listen(args.includes('--json') ? {} : line))

describe('bloomery --wait', () => {
  it('takes a node to available, and tells each step and its time', async () => {
    expect(await cli('node', 'manage', 'n1', '--wait')).toMatchObject({ code: 0, stderr: '' })
    const { code, stdout } = await cli('node', 'provide', 'n1', '--wait')
    expect(code).toBe(0)
    expect(stdout).toMatch(/state: cleaning\n(.*\n)*clean \d\/\d: deploy: erase devices metadata/)
    expect(stdout).toMatch(/Node n1 is available\.\nWhere the time went:\n +1\.5 s {2}clean, power: power off\n/)
  })

  it('ends with code 1 and the reason when a deploy fails, and can be deployed after that', async () => {
    failNext = 'image i: expected sha256 00, got 11'
    const failed = await cli('deploy', 'n1', '--image', 'i', '--hostname', 'web-1', '--wait')
    expect(failed.code).toBe(1)
    expect(failed.stderr).toContain("node n1 ended in 'deploy failed': image i: expected sha256 00, got 11")
    expect(failed.stdout).toContain('deploy 5/9: deploy: write image 50%')
    const deployed = await cli('deploy', 'n1', '--image', 'i', '--wait', '--json')
    expect(deployed.code).toBe(0)
    const result = JSON.parse(deployed.stdout) as { seconds: number; steps: unknown[] }
    expect(result).toMatchObject({ name: 'n1', provision_state: 'active', seconds: 13.5 })
    expect(result.steps).toContainEqual({ operation: 'deploy', step: 'deploy: write image', seconds: 1.5 })
  })

  it('shows a task list on a terminal, through tear-down and cleaning', async () => {
    // The list of the tear-down is whole when that of the cleaning has begun.
    const heard = listen({ erase_devices_metadata: 'boot: clean up ramdisk' })
    const ran = await runOnTerminal(['undeploy', 'n1', '--wait', '--endpoint', cloud.endpoint], heard)
    const [code, stdout] = [ran.code, stripVTControlCharacters(ran.stdout)]
    expect(code).toBe(0)
    expect(stdout).toMatch(/✔ power: power off/)
    expect(stdout).toMatch(/✔ deploy: erase devices metadata/)
    expect(stdout).toMatch(/Node n1 is available\./)
    expect(stdout).toMatch(/s {2}tear down, power: power off\r?\n/)
    expect(stdout).toMatch(/s {2}clean, deploy: erase devices metadata\r?\n/)
  })
})
