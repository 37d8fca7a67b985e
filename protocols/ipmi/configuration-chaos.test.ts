import { describe, expect, test } from 'vitest'
import { createBmc } from './bmc.ts'
import { connect } from './client.ts'
import { limitPower, readAssetTag, readPowerLimit, writeAssetTag } from './dcmi.ts'
import { CommandFailed, type IpmiError, MalformedAnswer } from './error.ts'
import { clearEventLog, readClock, readEventLog, setClock } from './event-log.ts'
import { addSelEntry } from './event-log-commands.ts'
import { readLan, writeLan } from './lan.ts'
import { readSensorRecords } from './sensors.ts'
import { paperChassis } from './testing/paper-chassis.ts'
import { paperInventory } from './testing/paper-inventory.ts'
import { paperNet } from './testing/paper-net.ts'
import { virtualClock } from './testing/virtual-clock.ts'
import { weather } from './testing/weather.ts'
import { readThresholds, setThresholds } from './thresholds.ts'
import { listUsers, setUserPassword, testUserPassword } from './users.ts'
import { getWatchdog, resetWatchdog, setWatchdog } from './watchdog-commands.ts'

const users = [{ name: 'admin', password: 'secret', privilege: 'administrator' }] as const

async function begin(protocolVersion: '1.5' | '2.0') {
  const clock = virtualClock()
  const onError = (error: unknown): never => {
    throw error
  }
  const make = () =>
    createBmc({ users, chassis: paperChassis(), inventory: paperInventory(), clock, onError, ipmi15: true })
  const net = paperNet(make())
  const login = { username: 'admin', password: 'secret', privilege: 'administrator', timeoutMs: 20_000 } as const
  const where = { socket: net, host: '127.0.0.1', port: 623, clock, protocolVersion }
  const session = await clock.run(connect({ ...where, ...login }))
  return { clock, net, session, anotherBmc: () => (net.bmc = make()) }
}

describe.each(['2.0', '1.5'] as const)('by IPMI %s', (version) => {
  test.each(Object.keys(weather))('with %s, what is set is set once, and reads back true', async (name) => {
    const { clock, net, session } = await begin(version)
    weather[name]!(net)
    const entry = Uint8Array.of(0, 0, 2, 0, 0, 0, 0, 0x41, 0, 4, 1, 1, 1, 0x59, 0x2d, 0x28)
    await clock.run(
      (async () => {
        for (const record of [1, 2, 3]) expect(await session.send(addSelEntry, { entry })).toEqual({ record })
        expect(await readEventLog(session, 10)).toHaveLength(3)
        await clearEventLog(session, clock)
        expect(await readEventLog(session, 10)).toEqual([])

        await setUserPassword(session, 2, 'another')
        expect([await testUserPassword(session, 2, 'another'), await testUserPassword(session, 2, 'secret')]).toEqual([
          true,
          false,
        ])
        expect(await listUsers(session)).toHaveLength(1)

        await writeLan(session, { vlan: 7, gateway: '10.0.0.1' })
        expect(await readLan(session)).toMatchObject({ vlan: 7, gateway: '10.0.0.1' })

        await writeAssetTag(session, 'a tag that needs several commands to be written')
        expect(await readAssetTag(session)).toBe('a tag that needs several commands to be written')
        await limitPower(session, { watts: 300, action: 'log', correctionMs: 5, periodSeconds: 6 })
        expect(await readPowerLimit(session)).toMatchObject({ watts: 300, action: 'log' })

        const time = new Date('2031-07-04T10:20:30Z')
        await setClock(session, time, 60)
        expect(Math.abs((await readClock(session)).getTime() - time.getTime())).toBeLessThan(20_000)

        const [record] = await readSensorRecords(session)
        if (record?.kind !== 'full') throw new Error('no full record')
        await setThresholds(session, record, { upperCritical: 40 })
        expect(await readThresholds(session, record)).toMatchObject({ upperCritical: 40 })
      })(),
    )
  })

  test('a BMC that lost the session in the middle is asked again, and what a restart ended is not pretended', async () => {
    const { clock, session, anotherBmc } = await begin(version)
    await clock.run(writeLan(session, { vlan: 7 }))
    anotherBmc()
    await clock.run(writeLan(session, { vlan: 8 }))
    expect(await clock.run(readLan(session))).toMatchObject({ vlan: 8 })
    const timer = { use: { purpose: 4, running: false, silent: false }, actions: { onTimeout: 0, interrupt: 0 } }
    await clock.run(session.send(setWatchdog, { ...timer, interruptBefore: 0, expired: 0, initial: 600 }))
    anotherBmc()
    await expect(clock.run(session.send(resetWatchdog, undefined))).rejects.toThrow(/Reset Watchdog Timer: .*0x80/)
    expect(await clock.run(session.send(getWatchdog, undefined))).toMatchObject({ initial: 0 })
  })

  test('silence ends each of them with who, what and where to look', async () => {
    const { clock, net, session } = await begin(version)
    net.loses = () => true
    for (const work of [listUsers, readLan, readAssetTag, readPowerLimit, readClock]) {
      const asked = clock.run(work(session) as Promise<unknown>)
      await expect(asked, work.name).rejects.toThrow(/^BMC 127\.0\.0\.1:623, .+: no answer within 20 s; check its/)
    }
  })
})

test('a bad answer is told as that, a refusal by its code', async () => {
  const { clock, session, net } = await begin('2.0')
  const told = async (work: Promise<unknown>) => clock.run(work).catch((error: IpmiError) => error)
  expect(await told(setUserPassword(session, 63, 'x'))).toBeInstanceOf(CommandFailed)
  net.bmc.stop()
  const odd = { ...session, send: session.send.bind(session), host: session.host, port: session.port }
  odd.send = (async () => ({ major: 1, minor: 5, total: 9, data: new Uint8Array(0) })) as typeof session.send
  expect(await told(readAssetTag(odd))).toBeInstanceOf(MalformedAnswer)
})
