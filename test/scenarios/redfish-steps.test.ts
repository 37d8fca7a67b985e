import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Refusal } from '@bloomery/redfish/service/machine.ts'
import { httpsCertificatesPath } from '@bloomery/redfish/service/state.ts'
import { selfSigned } from '@bloomery/redfish/testing/certificate.ts'
import type { Report } from '../../contract/messages.ts'
import type { Plan, Step } from '../../contract/plan.ts'
import { open } from '../../contract/seal.ts'
import { Fixture, step } from '../rack/paper/fixture.ts'

/** Steps of cleaning and servicing that a BMC does over Redfish, on a machine of paper. */

let fixture: Fixture
beforeEach(async () => {
  fixture = await new Fixture('redfish').plugIn()
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
const bmc = () => fixture.machine.redfish

describe('BIOS', () => {
  const settings = [
    { name: 'NumLock', value: 'Off' },
    { name: 'BootTimeout', value: '10' },
  ]

  test('settings are changed, the machine restarted for them, and read again; it is off again then', async () => {
    const end = await run([step('bios.apply_configuration', { settings }, { deadline_seconds: 3600 })])
    expect([end.phase, end.note, end.power_state]).toEqual(['done', null, 'power off'])
    expect(bmc().bios.attributes).toMatchObject({ NumLock: 'Off', BootTimeout: 10 })
    expect(fixture.machine.starts).toBe(1)
    const told = reports('hardware').flatMap(({ facts }) => facts.bios ?? [])
    expect(told.find(({ name }) => name === 'NumLock')).toMatchObject({ value: 'Off' })
  })

  test('settings that are as asked restart nothing', async () => {
    expect(
      await run([step('bios.apply_configuration', { settings: [{ name: 'NumLock', value: 'On' }] })]),
    ).toMatchObject({ phase: 'done' })
    expect(fixture.machine.boots).toEqual([])
  })

  test('what the registry does not allow is refused before anything is changed', async () => {
    const wrong = [
      { name: 'NumLock', value: 'Sometimes' },
      { name: 'Nonsense', value: 1 },
    ]
    const end = await run([step('bios.apply_configuration', { settings: wrong })])
    expect(end.phase).toBe('failed')
    expect(end.note).toMatch(/NumLock is one of On, Off; there is no BIOS attribute Nonsense/)
    expect(bmc().bios.pending).toEqual({})
  })

  test('the factory’s settings come back', async () => {
    bmc().bios.attributes['NumLock'] = 'Off'
    expect(await run([step('bios.factory_reset', {}, { deadline_seconds: 3600 })])).toMatchObject({ phase: 'done' })
    expect(bmc().bios.attributes['NumLock']).toBe('On')
  })

  test('the appliance killed in between restarts the machine once only', async () => {
    let killed = false
    fixture.site!.kill()
    await fixture.boot((at) => {
      if (at !== 'after bios.apply_configuration' || killed) return
      killed = true
      throw new Error('power cut')
    })
    const plan = fixture.plan('clean', [step('bios.apply_configuration', { settings }, { deadline_seconds: 3600 })])
    fixture.cloud.send({ kind: 'run', node: fixture.node, generation: 1, plan })
    await expect.poll(() => killed, { timeout: 60_000 }).toBe(true)
    await fixture.boot()
    expect(await fixture.cloud.ended(plan.id)).toMatchObject({ phase: 'done' })
    expect(fixture.machine.starts).toBe(1)
  })
})

describe('RAID', () => {
  const target = (plan: Plan): void => {
    plan.machine.target_raid_config = {
      logical_disks: [
        { size_gb: 100, raid_level: '1', is_root_volume: true, volume_name: 'root' },
        { size_gb: 'MAX', raid_level: '0', disk_type: 'ssd' },
      ],
    }
  }

  test('volumes are made as the target says, told, and deleted', async () => {
    const end = await run([step('raid.create_configuration', {}, { deadline_seconds: 3600 })], target)
    expect([end.phase, end.note]).toEqual(['done', null])
    expect(bmc().volumes).toMatchObject([
      { name: 'root', raid: 'RAID1', drives: ['Bay1', 'Bay2'] },
      { name: 'bloomery-1', raid: 'RAID0', drives: ['Bay3'] },
    ])
    const told = reports('hardware').at(-1)?.facts.raid_config?.['logical_disks']
    expect(told).toMatchObject([{ volume_name: 'root', raid_level: '1', physical_disks: ['Bay1', 'Bay2'] }, {}])
    fixture.cloud.reports.clear()
    const gone = fixture.plan('clean', [step('raid.delete_configuration', {}, { deadline_seconds: 3600 })], 2)
    fixture.cloud.send({ kind: 'run', node: fixture.node, generation: 2, plan: gone })
    expect(await fixture.cloud.ended(gone.id)).toMatchObject({ phase: 'done' })
    expect(bmc().volumes).toEqual([])
  })

  test('what the machine has no drives for is refused with what is missing', async () => {
    const end = await run([step('raid.create_configuration')], (plan) => {
      plan.machine.target_raid_config = { logical_disks: [{ size_gb: 'MAX', raid_level: '1+0' }] }
    })
    expect([end.phase, end.note]).toEqual(['failed', expect.stringMatching(/needs 4 free drives/)])
  })
})

test('firmware is updated component by component, and the new versions told', async () => {
  const settings = [
    { component: 'bmc', url: 'http://files/bmc-1.2.0.bin' },
    { component: 'bios', url: 'http://files/bios-2.1.0.bin' },
  ]
  const end = await run([step('firmware.update', { settings }, { deadline_seconds: 14_400 })])
  expect([end.phase, end.note, end.power_state]).toEqual(['done', null, 'power off'])
  expect(reports('hardware').at(-2)?.facts.firmware ?? reports('hardware').at(-1)?.facts.firmware).toMatchObject([
    { component: 'bios', version: '2.1.0' },
    { component: 'bmc', version: '1.2.0' },
    { component: 'nic:1' },
  ])
  expect(fixture.machine.starts).toBe(1)
})

test('the BMC is restarted and waited for, its clock is set, Secure Boot’s keys are reset', async () => {
  const end = await run([
    step('management.set_bmc_clock', { target_datetime: '2026-01-02T03:04:05Z' }),
    step('management.reset_secure_boot_keys_to_default'),
    step('management.reset_bmc', {}, { deadline_seconds: 900 }),
  ])
  expect([end.phase, end.note]).toEqual(['done', null])
  expect(bmc().dateTime).toBe('2026-01-02T03:04:05Z')
})

test('whom the machine and its BMC trust, and whose time they have, is set; doing it again changes nothing', async () => {
  const [{ cert }, { cert: other }] = [selfSigned(2), selfSigned(2)]
  const databases = [
    { database: 'PK', certificates: [cert] },
    { database: 'db', certificates: [cert, other], hashes: ['ab'.repeat(32)] },
  ]
  const wanted = [
    step('management.set_bmc_ntp', { servers: ['10.0.0.1'] }),
    step('management.clear_secure_boot_keys'),
    step('management.enroll_secure_boot_keys', { databases }),
    step('management.install_boot_certificates', { certificates: [cert, other] }),
  ]
  const end = await run([...wanted, wanted[2]!, wanted[3]!])
  expect([end.phase, end.note]).toEqual(['done', null])
  expect(bmc().ntp).toEqual({ enabled: true, servers: ['10.0.0.1'] })
  const held = [...bmc().certificates].map(([path, all]) => [path.split('/').slice(-2).join('/'), all.length])
  expect(Object.fromEntries(held)).toMatchObject({ 'PK/Certificates': 1, 'db/Certificates': 2, 'Boot/Certificates': 2 })
  expect([...bmc().signatures.values()].flat()).toHaveLength(1)
})

test('the event log of the machine is emptied', async () => {
  bmc().log.push({ id: '1', at: '2026-01-02T03:04:05Z', text: 'a fan stood still' })
  const end = await run([step('management.clear_event_log')])
  expect([end.phase, end.note]).toEqual(['done', null])
  expect(bmc().log).toEqual([])
})

test('the BMC has the certificate made for its own key, once, and one for another key is refused', async () => {
  const [own, stranger] = [selfSigned(2), selfSigned(2)]
  const path = httpsCertificatesPath(bmc())
  bmc()
    .certificates.get(path)!
    .push({ id: '1', pem: selfSigned(2).cert, owner: undefined })
  bmc().requestedKeys.set(path, own.key)
  const install = ({ cert }: { cert: string }, generation: number) =>
    run([step('management.install_bmc_certificate', { certificate: cert })], (plan) => (plan.generation = generation))
  const end = await install(own, 1)
  expect([end.phase, end.note]).toEqual(['done', null])
  expect(bmc().certificates.get(path)).toMatchObject([{ id: '1', pem: own.cert }])
  const refused = await install(stranger, 2)
  expect([refused.phase, refused.note]).toEqual([
    'failed',
    expect.stringMatching(/BMC 127\.0\.0\.1:\d+, replace a certificate: HTTP 400/),
  ])
  expect(bmc().tls?.cert).toBe(own.cert)
})

test('a certificate that is over, or is none, changes nothing', async () => {
  const end = await run([step('management.install_boot_certificates', { certificates: [selfSigned(-1).cert] })])
  expect([end.phase, end.note]).toEqual(['failed', expect.stringMatching(/certificate of CN=127\.0\.0\.1 ended /)])
})

test('an inspection asks the BMC what the machine is made of, and does not touch it', async () => {
  const end = await run([step('inspect.inspect_hardware')], (plan) => (plan.machine.interfaces['inspect'] = 'redfish'))
  expect([end.phase, end.note]).toEqual(['done', null])
  expect(reports('inventory')[0]?.inventory).toMatchObject({
    cpu: { count: 8, architecture: 'x86_64' },
    interfaces: [{ mac_address: fixture.machine.mac, has_carrier: true }],
    disks: [{ name: 'Bay1', size: 480e9, rotational: false }, {}, {}],
    boot: { current_boot_mode: 'bios' },
  })
  expect(fixture.machine.boots).toEqual([])
})

test('a BMC that can’t tell of its settings is verified nevertheless', async () => {
  Object.defineProperty(bmc().bios, 'attributes', {
    get: () => {
      throw new Refusal(500, 'InternalError')
    },
  })
  const end = await run([step('power.validate'), step('management.read_hardware')])
  expect(end.phase).toBe('done')
  expect(reports('progress').map(({ note }) => note)).toContain(
    'the BMC takes too long to tell its settings and versions',
  )
})

test('drift from the declared baseline is told and changes nothing', async () => {
  const end = await run([step('management.report_drift')], (plan) => {
    plan.machine.properties['baseline'] = { bios: { NumLock: 'Off' }, firmware: { bmc: '1.0.0' }, bmc_users: ['admin'] }
  })
  expect([end.phase, end.note]).toEqual(['done', null])
  expect(reports('hardware').at(-1)?.facts.drift).toEqual(['BIOS setting NumLock is On, not Off'])
  expect(bmc().bios).toMatchObject({ attributes: { NumLock: 'On' }, pending: {} })
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
    const fresh = bmc().users[0]!.password
    expect(fresh).toHaveLength(20)
    expect(fresh).not.toBe('paper-secret')
    expect(opened()).toBe(fresh)
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

  test('a BMC that takes the new one and then refuses it has the old one again, and the step says so', async () => {
    const [user] = bmc().users
    Object.defineProperty(user, 'password', { get: () => 'paper-secret', set: () => {} })
    const end = await run(rotate, keys)
    expect([end.phase, end.note]).toEqual([
      'failed',
      expect.stringMatching(/refused it; the old one is in force again/),
    ])
    expect(reports('secret')).toEqual([])
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
    expect(opened()).toBe(bmc().users[0]!.password)
  })
})

describe("the BMC's clock", () => {
  const verify = () => run([step('management.verify_bmc_clock')])

  test('that is wrong is set, and is right then', async () => {
    const set: string[] = []
    // It goes on from what it was told, as paper time goes.
    Object.defineProperty(bmc(), 'dateTime', {
      get: () => (set.length === 0 ? '1999-12-31T23:59:59Z' : fixture.clock.now().toISOString()),
      set: (at: string) => {
        set.push(at)
      },
    })
    const before = fixture.clock.now().getTime()
    expect(await verify()).toMatchObject({ phase: 'done', note: null })
    expect(set).toHaveLength(1)
    expect(Date.parse(set[0]!)).toBeGreaterThan(before - 1000)
  })

  test('that is right is left as it is', async () => {
    const told = new Date(fixture.clock.now().getTime()).toISOString()
    // It stands still, and paper time is quick: told anew whenever somebody looks.
    Object.defineProperty(bmc(), 'dateTime', {
      get: () => new Date(fixture.clock.now().getTime()).toISOString(),
      set: () => {
        throw new Error('it was set')
      },
    })
    expect(await verify()).toMatchObject({ phase: 'done', note: null })
    expect(Date.parse(bmc().dateTime!)).toBeGreaterThanOrEqual(Date.parse(told))
  })

  test('that stays wrong fails the step by how much', async () => {
    Object.defineProperty(bmc(), 'dateTime', { get: () => '1999-12-31T23:59:59Z', set: () => {} })
    const end = await verify()
    expect([end.phase, end.note]).toEqual(['failed', expect.stringMatching(/clock is wrong by \d+ s after it was set/)])
  })
})
