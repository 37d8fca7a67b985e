import { randomBytes, randomUUID } from 'node:crypto'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Command, Downlink } from '../../contract/messages.ts'
import type { Plan } from '../../contract/plan.ts'
import { topics } from '../../contract/topics.ts'
import { openGround, type Ground } from '../../standalone/ground.ts'
import { DIGEST, Fleet, type Member } from '../rack/paper/fleet.ts'
import { allIsReceived } from './received.ts'
import { cloudHere, type CloudHere } from './cloud-here.ts'

type Commands = Extract<Downlink, { kind: 'commands' }>
type RunCommand = Extract<Command, { kind: 'run' }> & { plan: Plan }

let cloud: CloudHere
let fleet: Fleet
let member: Member
let broker: Ground | undefined

beforeEach(async () => {
  cloud = await cloudHere()
  fleet = new Fleet({ endpoint: cloud.endpoint, sites: 1, machinesPerSite: 1, speed: 100 })
  await fleet.join()
  await fleet.pushImage('debian')
  member = fleet.members[0]!
  await fleet.makeAvailable([member])
})
afterEach(async () => {
  await fleet?.tearDown()
  await broker?.close()
  await cloud?.stopAndForget()
})

/** The cloud's own broker, with nobody behind it but this test. */
async function brokerAlone(): Promise<Ground> {
  const { hostname, port } = new URL(cloud.broker)
  await cloud.stop()
  const silent = { info() {}, warn() {}, error() {} }
  broker = await openGround({
    dataDir: cloud.dataDir,
    clock: { now: () => new Date() },
    ids: { uuid: randomUUID, token: (bytes) => randomBytes(bytes).toString('base64url') },
    log: silent,
    broker: { host: hostname, port: Number(port), publicHost: hostname },
    names: [hostname],
    publicUrl: () => cloud.endpoint,
  })
  return broker
}

/** However often it came. */
function commandTo({ site }: Member, kind: Plan['kind']): RunCommand {
  for (const message of site.crossed.down)
    for (const command of message.kind === 'commands' ? message.commands : [])
      if (command.kind === 'run' && 'steps' in command.plan && command.plan.kind === kind)
        return { ...command, plan: command.plan }
  throw new Error(`no plan to ${kind} has crossed`)
}

const patience = { timeout: 60_000, interval: 10 }

test('a command delivered twice and one of an older generation have no effect, though they come through the real broker', async () => {
  const { site, machine } = member
  await fleet.startDeploy([member], 'debian')
  await fleet.reach([member], 'active', 60_000)
  await expect.poll(() => machine.boots.at(-1), patience).toBe(`disk ${DIGEST}`)
  const [verify, deploy] = [commandTo(member, 'verify'), commandTo(member, 'deploy')]
  await allIsReceived(site.crossed) // or it would say it again

  const { platform } = await brokerAlone()
  const before = { boots: machine.boots.length, up: site.crossed.up.length, down: site.crossed.down.length }
  const send = (...commands: Command[]): Promise<void> => {
    const message: Commands = { v: 1, kind: 'commands', commands, urls: {}, stored_from: 1 }
    return platform.bus.publish(topics.down(site.identity.uuid), JSON.stringify(message))
  }
  await expect.poll(() => site.crossed.up.slice(before.up).some(isHello), patience).toBe(true)
  await send(deploy, deploy)
  const seq = deploy.seq + 1
  await send(older(deploy, verify.generation, seq))
  await expect
    .poll(
      () => site.crossed.up.slice(before.up).map((message) => message.kind === 'alive' && message.commands_through),
      patience,
    )
    .toContain(seq)
  await new Promise((resolve) => setTimeout(resolve, 500)) // 50 s of the site's time, in which a plan would begin
  expect(site.crossed.down.slice(before.down).filter(({ kind }) => kind === 'commands')).toHaveLength(2)
  expect(site.crossed.up.slice(before.up).filter(({ kind }) => kind === 'reports')).toEqual([])
  expect(machine.boots.length).toBe(before.boots)
  expect(machine.power).toBe('on')
  expect(machine.accidents).toEqual([])
})

function isHello(message: { kind: string; hello?: boolean }): boolean {
  return message.kind === 'alive' && message.hello === true
}

/** The same deploy as if it had been asked for long ago. */
function older(deploy: RunCommand, generation: number, seq: number): Command {
  return { ...deploy, id: randomUUID(), seq, generation, plan: { ...deploy.plan, id: randomUUID(), generation } }
}
