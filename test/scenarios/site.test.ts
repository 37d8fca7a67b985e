import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Plan } from '../../contract/plan.ts'
import { DIGEST, Fixture, step } from '../rack/paper/fixture.ts'

let fixture: Fixture
beforeEach(async () => {
  fixture = await new Fixture().plugIn()
  await fixture.boot()
})
afterEach(() => fixture.tearDown())

function run(plan: Plan, more: Record<string, unknown> = {}) {
  return fixture.cloud.send({ kind: 'run', node: fixture.node, generation: plan.generation, plan, ...more })
}

test('the same command delivered again, and one of an older generation, have no effect', async () => {
  const plan = fixture.deployPlan(5)
  const command = run(plan)
  await fixture.cloud.ended(plan.id)
  await expect.poll(() => fixture.machine.boots.at(-1)).toBe(`disk ${DIGEST}`)
  const boots = fixture.machine.boots.length
  const reports = fixture.cloud.reports.size
  fixture.cloud.deliver([command, command])
  const old = fixture.plan('tear_down', [step('power.power_off')], 4)
  run(old)
  await expect.poll(() => fixture.cloud.acknowledged).toBe(2)
  await new Promise((resolve) => setTimeout(resolve, 100))
  expect(fixture.machine.boots.length).toBe(boots)
  expect(fixture.machine.power).toBe('on')
  expect(fixture.cloud.reports.size).toBe(reports)
  expect(fixture.cloud.progress(old.id)).toEqual([])
})

test('WAN cut right after the command was accepted: the machine comes up, and the reports arrive afterwards, in order', async () => {
  const plan = fixture.deployPlan()
  run(plan)
  await expect.poll(() => fixture.cloud.progress(plan.id).length).toBeGreaterThan(0)
  fixture.cloud.up = false
  const known = fixture.cloud.progress(plan.id).length
  await expect.poll(() => fixture.machine.boots.at(-1), { timeout: 60_000 }).toBe(`disk ${DIGEST}`)
  expect(fixture.cloud.progress(plan.id).length).toBe(known)
  fixture.cloud.mend()
  expect(await fixture.cloud.ended(plan.id)).toMatchObject({ phase: 'done' })
  const ordinals = fixture.cloud.progress(plan.id).map((each) => each.ordinal)
  expect(ordinals).toEqual(ordinals.map((_, index) => index + 1))
})

test('wrong image checksum: the failure names image, expected and actual digest, and the machine is off', async () => {
  const wrong = createHash('sha256').update('something else').digest('hex')
  const plan = fixture.deployPlan(1, wrong)
  run(plan)
  const end = await fixture.cloud.ended(plan.id)
  expect(end.phase).toBe('failed')
  expect(end.note).toContain('paper-image')
  expect(end.note).toContain(wrong)
  expect(end.note).toContain(DIGEST)
  expect(end.power_state).toBe('power off')
  expect(fixture.machine.power).toBe('off')
  expect(fixture.machine.disk.image).toBeUndefined()
})

test('a copy that has rotted on the site’s disk is found out by the agent, fetched again, and the machine comes up', async () => {
  const first = fixture.deployPlan()
  run(first)
  expect(await fixture.cloud.ended(first.id)).toMatchObject({ phase: 'done' })
  const copy = join(fixture.dir, 'images', `sha256-${DIGEST}`)
  const rotten = readFileSync(copy)
  rotten[1000]! ^= 1
  writeFileSync(copy, rotten)
  const second = fixture.deployPlan(2)
  run(second)
  expect(await fixture.cloud.ended(second.id)).toMatchObject({ phase: 'done' })
  expect(fixture.cloud.progress(second.id).map(({ note }) => note)).toContain(
    "this site's copy of image paper-image was damaged: fetching it again",
  )
  expect(fixture.machine.disk.image).toBe(DIGEST)
  expect(createHash('sha256').update(readFileSync(copy)).digest('hex')).toBe(DIGEST)
})

test('no agent within its deadline: the failure tells what was last seen, and what the console showed', async () => {
  const plan = fixture.deployPlan()
  plan.machine.interfaces['console'] = 'ipmitool-socat'
  fixture.machine.provisioning = {
    networkBoot: async (machine) => {
      fixture.site!.site.events.seen(machine.mac, 'kernel')
      await expect.poll(() => machine.serial.isOpen).toBe(true)
      machine.serial.print('\u001b[2J\u001b[HKernel panic - not syncing\r\n')
    },
  }
  run(plan)
  const end = await fixture.cloud.ended(plan.id)
  expect(end).toMatchObject({ phase: 'failed', power_state: 'power off' })
  expect(end.note).toMatch(/deploy.start_agent: no agent within 900 s.*last seen: kernel/)
  expect(end.screen).toEqual(['Kernel panic - not syncing'])
  await expect.poll(() => fixture.machine.serial.isOpen).toBe(false)
  expect(JSON.stringify(fixture.log)).not.toMatch(/Kernel panic/)
})

test('wrong BMC password: the failure says so, and the password is nowhere in the logs or the ledger', async () => {
  const plan = fixture.plan('verify', [step('power.validate')])
  const wrong = fixture.plan('verify', [step('power.validate')], 2)
  wrong.machine.driver_info['ipmi_password'] = 'not the password'
  run(plan)
  expect(await fixture.cloud.ended(plan.id)).toMatchObject({ phase: 'done', power_state: 'power off' })
  run(wrong)
  const end = await fixture.cloud.ended(wrong.id)
  expect(end.phase).toBe('failed')
  expect(end.note).toMatch(/password/)
  const told = JSON.stringify([fixture.log, [...fixture.cloud.reports.values()]])
  expect(told).not.toContain('paper-secret')
  expect(told).not.toContain('not the password')
})

test('a newer operation takes over from the one in progress', async () => {
  const deploy = fixture.deployPlan(1)
  run(deploy)
  await expect.poll(() => fixture.machine.boots.length).toBe(1)
  const tearDown = fixture.plan('tear_down', [step('power.power_off'), step('boot.clean_up_ramdisk')], 2)
  run(tearDown)
  expect(await fixture.cloud.ended(tearDown.id)).toMatchObject({ phase: 'done', power_state: 'power off' })
  expect(fixture.cloud.progress(deploy.id).at(-1)?.phase).not.toMatch(/done|failed/)
  expect(fixture.machine.power).toBe('off')
})

test('a cancelled plan stops, cleans up and says why', async () => {
  const plan = fixture.deployPlan(1)
  run(plan)
  await expect.poll(() => fixture.machine.boots.length).toBe(1)
  fixture.cloud.send({
    kind: 'cancel',
    node: fixture.node,
    generation: 1,
    lane: 'provision',
    reason: 'the cloud gave up',
  })
  expect(await fixture.cloud.ended(plan.id)).toMatchObject({ phase: 'failed', note: 'the cloud gave up' })
  expect(fixture.machine.power).toBe('off')
})

test('a command that comes after its deadline is refused', async () => {
  const plan = fixture.deployPlan(1)
  run(plan, { deadline: '2020-01-01T00:00:00.000Z' })
  expect(await fixture.cloud.ended(plan.id)).toMatchObject({ phase: 'refused' })
  expect(fixture.machine.boots).toEqual([])
})

test('a plan too large for its command is fetched by reference, also when the first attempts fail', async () => {
  const plan = fixture.deployPlan(1)
  const bytes = Buffer.from(JSON.stringify(plan))
  const blobs = fixture.get
  let asked = 0
  fixture.cloud.urls['plans/1'] = 'https://blobs.paper/plan'
  fixture.get = (url, init) => {
    if (url !== 'https://blobs.paper/plan') return blobs(url, init)
    asked += 1
    return Promise.resolve(asked < 3 ? new Response(null, { status: 503 }) : new Response(new Uint8Array(bytes)))
  }
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  run(plan, { plan: { source: { kind: 'blob', key: 'plans/1' }, size: bytes.length, sha256 } })
  expect(await fixture.cloud.ended(plan.id)).toMatchObject({ phase: 'done' })
  expect(asked).toBe(3)
})

test('an expired URL and a broken connection only delay the image: it is resumed, not begun again', async () => {
  const plan = fixture.deployPlan(1)
  fixture.cloud.freshUrls = { image: 'https://blobs.paper/fresh' }
  const whole = fixture.get
  let refused = 0
  const asked: (string | null)[] = []
  fixture.get = async (url, init) => {
    if (url === 'https://blobs.paper/image') {
      refused += 1
      return new Response(null, { status: 403 })
    }
    asked.push(new Headers(init?.headers).get('range'))
    if (asked.length > 1) return whole(url, init)
    const bytes = new Uint8Array(await (await whole(url, init)).arrayBuffer())
    let sent = false
    const broken = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (sent) controller.error(new Error('connection reset'))
        else controller.enqueue(bytes.subarray(0, 100_000))
        sent = true
      },
    })
    return new Response(broken, { headers: { 'content-length': String(bytes.length) } })
  }
  run(plan)
  expect(await fixture.cloud.ended(plan.id)).toMatchObject({ phase: 'done' })
  expect(refused).toBeGreaterThan(0)
  expect(asked).toEqual([null, 'bytes=100000-'])
})

test('the image comes while the machine starts, and a config drive stays at the site no longer than its plan', async () => {
  const plan = fixture.deployPlan(1)
  const drive = Buffer.from('H4sI'.repeat(8000))
  const sha256 = createHash('sha256').update(drive).digest('hex')
  plan.steps[4]!.args['config_drive'] = { source: { kind: 'blob', key: 'drive' }, size: drive.length, sha256 }
  fixture.cloud.urls['drive'] = 'https://blobs.paper/drive'
  const blobs = fixture.get
  const asked: [string, number][] = []
  fixture.get = (url, init) => {
    asked.push([url as string, fixture.machine.boots.length])
    if (url !== 'https://blobs.paper/drive') return blobs(url, init)
    return Promise.resolve(new Response(new Uint8Array(drive)))
  }
  run(plan)
  expect(await fixture.cloud.ended(plan.id)).toMatchObject({ phase: 'done' })
  expect(fixture.machine.disk.configDrive).toBe(drive.toString())
  expect(asked.sort(([a], [b]) => (a < b ? -1 : 1))).toEqual([
    ['https://blobs.paper/drive', 0],
    ['https://blobs.paper/image', 0],
  ])
  await expect.poll(() => readdirSync(`${fixture.dir}/images`)).toEqual([expect.stringMatching(/^sha256-/)])
})

test('people switch power in a lane of its own, and a forgotten node leaves nothing behind', async () => {
  const on = fixture.plan('power', [step('power.set_power_state', { target: 'power on', timeout: null })], 1, 'power')
  run(on)
  expect(await fixture.cloud.ended(on.id)).toMatchObject({
    phase: 'done',
    power_state: 'power on',
    lane: 'power',
  })
  await expect.poll(() => fixture.machine.boots.length).toBe(1)
  const reboot = fixture.plan(
    'power',
    [step('power.set_power_state', { target: 'rebooting', timeout: null })],
    2,
    'power',
  )
  run(reboot)
  await fixture.cloud.ended(reboot.id)
  await expect.poll(() => fixture.machine.boots.length).toBe(2)
  fixture.cloud.send({ kind: 'forget', node: fixture.node, generation: 3 })
  await expect.poll(() => fixture.site!.site.machines.nodes()).toEqual([])
  expect(fixture.site!.site.machines.byMac(fixture.machine.mac)).toBeUndefined()
})

test('a power change by itself is reported, once', async () => {
  const verify = fixture.plan('verify', [step('power.validate')])
  run(verify)
  await fixture.cloud.ended(verify.id)
  fixture.machine.power = 'on' // somebody pressed the button
  const changes = () => [...fixture.cloud.reports.values()].filter((report) => report.kind === 'power')
  await expect.poll(() => changes().length, { timeout: 60_000 }).toBe(1)
  expect(changes()[0]).toMatchObject({ node: fixture.node, power_state: 'power on' })
  await new Promise((resolve) => setTimeout(resolve, 800))
  expect(changes().length).toBe(1)
})
