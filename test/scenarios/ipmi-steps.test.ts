import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect, type IpmiSession } from '@bloomery/ipmi/client.ts'
import { readClock, readEventLog } from '@bloomery/ipmi/event-log.ts'
import { addSelEntry } from '@bloomery/ipmi/event-log-commands.ts'
import { openIpmiSocket } from '@bloomery/ipmi/socket.ts'
import { setUserName } from '@bloomery/ipmi/user-commands.ts'
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import type { Report } from '../../contract/messages.ts'
import type { Plan, Step } from '../../contract/plan.ts'
import { open } from '../../contract/seal.ts'
import { Fixture, step } from '../rack/paper/fixture.ts'

/** Steps of cleaning and servicing that a BMC does over IPMI, on a machine of paper. */

let fixture: Fixture
beforeEach(async () => {
  fixture = await new Fixture('ipmi').plugIn()
  await fixture.boot()
})
afterEach(() => fixture.tearDown())

async function run(steps: Step[], change: (plan: Plan) => void = () => {}) {
  const plan = fixture.plan('clean', steps)
  change(plan)
  fixture.cloud.send({ kind: 'run', node: fixture.node, generation: plan.generation, plan })
  return fixture.cloud.ended(plan.id)
}
const reports = <K extends Report['kind']>(kind: K) =>
  [...fixture.cloud.reports.values()].filter((each): each is Extract<Report, { kind: K }> => each.kind === kind)

/** By a console of our own. */
async function console(password = 'paper-secret'): Promise<IpmiSession> {
  const socket = openIpmiSocket()
  onTestFinished(() => socket.close())
  const who = { username: 'admin', password, privilege: 'administrator' } as const
  return connect({ socket, host: '127.0.0.1', port: fixture.machine.port, timeoutMs: 5000, ...who })
}

test('the BMC is restarted and waited for, its clock is set, its event log cleared', async () => {
  const before = await console()
  await before.send(addSelEntry, { entry: Uint8Array.of(0, 0, 2, 0, 0, 0, 0, 0x41, 0, 4, 1, 1, 1, 0x59, 0x2d, 0x28) })
  const end = await run([
    step('management.set_bmc_clock', { target_datetime: '2031-01-02T03:04:05Z' }),
    step('management.clear_event_log'),
    step('management.reset_bmc', {}, { deadline_seconds: 900 }),
    step('vendor.bmc_reset', { warm: true }, { deadline_seconds: 900 }),
  ])
  expect([end.phase, end.note]).toEqual(['done', null])
  const after = await console()
  expect(await readEventLog(after, 10)).toEqual([])
  expect((await readClock(after)).toISOString()).toMatch(/^2031-01-02T03:0/)
})

test('raw bytes are sent as they are, and what the BMC declines fails the step by its code', async () => {
  expect((await run([step('vendor.send_raw', { raw_bytes: '0x00 0x02 0x01' })])).phase).toBe('done')
  expect(fixture.machine.power).toBe('on')
  const declined = fixture.plan('clean', [step('vendor.send_raw', { raw_bytes: '6 0xef' })], 2)
  fixture.cloud.send({ kind: 'run', node: fixture.node, generation: 2, plan: declined })
  const end = await fixture.cloud.ended(declined.id)
  expect([end.phase, end.note]).toEqual(['failed', expect.stringMatching(/raw 0x06 0xef: completion code 0xc1/)])
})

test('what IPMI has not is refused as that', async () => {
  const end = await run([step('management.reset_secure_boot_keys_to_default')])
  expect([end.phase, end.note]).toEqual([
    'failed',
    expect.stringMatching(/driver ipmi can't do this \(resetSecureBootKeys\)/),
  ])
})

test('users whom nobody declared are told, and changes nothing', async () => {
  const owner = await console()
  await owner.send(setUserName, { user: { id: 3 }, name: 'guest' })
  const end = await run([step('management.report_drift')], (plan) => {
    plan.machine.properties['baseline'] = { firmware: { bmc: '1.00' }, bmc_users: ['admin', 'audit'] }
  })
  expect([end.phase, end.note]).toEqual(['done', null])
  // A user who may not log in is none.
  expect(reports('hardware').at(-1)?.facts.drift).toEqual(['the BMC has no user audit'])
})

describe('rotate_bmc_password', () => {
  const keys = (plan: Plan): void => {
    plan.machine.sealing_keys = [{ appliance: fixture.identity.uuid, key: fixture.identity.key.publicKey }]
  }
  const rotate = [step('management.rotate_bmc_password'), step('power.validate')]
  const opened = (): string => {
    const [report] = reports('secret')
    const bind = `${fixture.node}/${report!.key}`
    return open(report!.value, bind, fixture.identity.uuid, fixture.identity.key.privateKey)
  }

  test('the BMC has a new password, only the site can open it, and what follows uses it', async () => {
    const end = await run(rotate, keys)
    expect([end.phase, end.note]).toEqual(['done', null])
    const fresh = opened()
    expect(fresh).toHaveLength(20)
    await console(fresh)
    await expect(console()).rejects.toThrow(/incorrect password/)
    const written = [JSON.stringify([fixture.log, [...fixture.cloud.reports.values()]])]
    for (const file of ['ledger.sqlite', 'ledger.sqlite-wal']) {
      try {
        written.push(readFileSync(join(fixture.dir, file), 'latin1'))
      } catch {
        continue
      }
    }
    expect(written.length).toBeGreaterThan(1)
    for (const text of written) for (const secret of [fresh, 'paper-secret']) expect(text.includes(secret)).toBe(false)
  })

  test('the appliance killed right after the change still has the new one', async () => {
    let killed = false
    fixture.site!.kill()
    await fixture.boot((at) => {
      if (at !== 'after management.rotate_bmc_password' || killed) return
      killed = true
      throw new Error('power cut')
    })
    const plan = fixture.plan('clean', rotate)
    keys(plan)
    fixture.cloud.send({ kind: 'run', node: fixture.node, generation: 1, plan })
    await expect.poll(() => killed, { timeout: 60_000 }).toBe(true)
    await fixture.boot()
    expect(await fixture.cloud.ended(plan.id)).toMatchObject({ phase: 'done' })
    await console(opened())
  })
})
