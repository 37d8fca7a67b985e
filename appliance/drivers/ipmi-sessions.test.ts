import { createSocket } from 'node:dgram'
import { decodePacket, encodePacket } from '@bloomery/ipmi/packet.ts'
import { readPower } from '@bloomery/ipmi/chassis.ts'
import type { CipherSuiteId } from '@bloomery/ipmi/cipher-suite.ts'
import { startBmc } from '@bloomery/ipmi/server.ts'
import { paperChassis } from '@bloomery/ipmi/testing/paper-chassis.ts'
import { expect, it, onTestFinished } from 'vitest'
import { HardwareError } from '../hardware-error.ts'
import { ipmiInfo } from './ipmi-info.ts'
import { IpmiSessions } from './ipmi-sessions.ts'

async function site(options: { idleMs?: number; bmcs?: number; cipherSuites?: readonly CipherSuiteId[] } = {}) {
  const onError = (error: unknown): never => {
    throw error
  }
  const users = [
    { name: 'admin', password: 'secret', privilege: 'administrator' },
    { name: 'other', password: 'else', privilege: 'administrator' },
  ] as const
  const common = { host: '127.0.0.1', users, onError, cipherSuites: options.cipherSuites ?? ([3, 17] as const) }
  const bmcs = await Promise.all(
    Array.from({ length: options.bmcs ?? 1 }, () => startBmc({ ...common, port: 0, chassis: paperChassis() })),
  )
  const sessions = new IpmiSessions(options)
  onTestFinished(async () => {
    await sessions.close()
    await Promise.all(bmcs.map((bmc) => bmc.close()))
  })
  const info = (changes: object = {}, at = 0) =>
    ipmiInfo({
      ipmi_address: '127.0.0.1',
      ipmi_port: bmcs[at]!.port,
      ipmi_username: 'admin',
      ipmi_password: 'secret',
      ...changes,
    })
  return { bmcs, bmc: bmcs[0]!, sessions, info }
}

it('one session serves all that is asked of a BMC', async () => {
  const { bmc, sessions, info } = await site()
  await Promise.all(Array.from({ length: 10 }, () => sessions.use(info(), readPower)))
  expect(bmc.sessions()).toEqual({ active: 1, pending: 0 })
  expect(sessions.open).toBe(1)
})

it('what driver_info says now is what counts: the session under the old credentials is closed', async () => {
  const { bmc, sessions, info } = await site()
  await sessions.use(info(), readPower)
  await sessions.use(info({ ipmi_username: 'other', ipmi_password: 'else' }), readPower)
  expect(sessions.open).toBe(1)
  await expect.poll(() => bmc.sessions().active).toBe(1)
  await expect(sessions.use(info({ ipmi_password: 'wrong' }), readPower)).rejects.toThrow(HardwareError)
  expect(sessions.open).toBe(0)
  await expect.poll(() => bmc.sessions().active).toBe(0)
})

it('who is in the middle of something keeps the old session until it is done', async () => {
  const { bmc, sessions, info } = await site()
  const { promise: gate, resolve: go } = Promise.withResolvers<void>()
  const slow = sessions.use(info(), async (session) => {
    await gate
    return readPower(session)
  })
  await sessions.use(info({ ipmi_username: 'other', ipmi_password: 'else' }), readPower)
  expect(bmc.sessions().active).toBe(2)
  go()
  expect(await slow).toBe('off')
  await expect.poll(() => bmc.sessions().active).toBe(1)
})

it('sessions that nobody uses are closed, on the BMC too, and opened again when wanted', async () => {
  const { bmcs, sessions, info } = await site({ idleMs: 40, bmcs: 3 })
  await Promise.all(bmcs.map((_, at) => sessions.use(info({}, at), readPower)))
  await expect.poll(() => sessions.open).toBe(0)
  await expect.poll(() => bmcs.map((bmc) => bmc.sessions().active)).toEqual([0, 0, 0])
  expect(await sessions.use(info(), readPower)).toBe('off')
})

it('a failure of the work that is not of the BMC keeps the session', async () => {
  const { bmc, sessions, info } = await site()
  const failing = sessions.use(info(), () => Promise.reject(new HardwareError('no such user')))
  await expect(failing).rejects.toThrow('no such user')
  expect([sessions.open, bmc.sessions().active]).toEqual([1, 1])
})

it('a BMC that no longer takes the suite that was found is asked anew which it takes', async () => {
  const { sessions, info } = await site()
  const onError = (error: unknown): never => {
    throw error
  }
  const users = [{ name: 'admin', password: 'secret', privilege: 'administrator' }] as const
  const start = (port: number, suite: CipherSuiteId) =>
    startBmc({ host: '127.0.0.1', port, users, onError, chassis: paperChassis(), cipherSuites: [suite] })
  const before = await start(0, 17)
  const at = info({ ipmi_port: before.port })
  await sessions.use(at, async (session) => expect(session.cipherSuite).toBe(17))
  sessions.drop(at)
  await before.close()
  const after = await start(before.port, 3)
  onTestFinished(() => after.close())
  await sessions.use(at, async (session) => expect(session.cipherSuite).toBe(3))
})

it('a BMC that answers pings and no IPMI is told from one that is silent', async () => {
  const socket = createSocket('udp4')
  let pongs = true
  socket.on('message', (bytes, { address, port }) => {
    const packet = decodePacket(bytes)
    if (packet.format !== 'asf' || !pongs) return
    socket.send(encodePacket({ format: 'asf', type: 'pong', tag: packet.tag, ipmi: false }), port, address)
  })
  await new Promise<void>((resolve) => void socket.bind(0, '127.0.0.1', resolve))
  const sessions = new IpmiSessions({ timeoutMs: 1_500 })
  onTestFinished(async () => {
    await sessions.close()
    socket.close()
  })
  const info = ipmiInfo({ ipmi_address: '127.0.0.1', ipmi_port: socket.address().port })
  await expect(sessions.use(info, readPower)).rejects.toThrow(/answers pings and nothing else: enable IPMI over LAN/)
  expect(sessions.open).toBe(0)
  pongs = false
  await expect(sessions.use(info, readPower)).rejects.toThrow(/no answer within 1.5 s; check its address/)
})
