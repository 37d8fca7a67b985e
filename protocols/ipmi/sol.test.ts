import { beforeEach, expect, test } from 'vitest'
import { createBmc } from './bmc.ts'
import type { BmcOptions } from './bmc-options.ts'
import { connect, type ConnectOptions } from './client.ts'
import { closeSession } from './commands.ts'
import { openSol, type SolConsole, SolUnavailable } from './sol-client.ts'
import { getPayloadActivationStatus, getPayloadInstanceInfo } from './sol-commands.ts'
import * as parameters from './sol-parameters.ts'
import { readSol, writeSol } from './sol-settings.ts'
import { payloadTypes } from './packet.ts'
import { paperChassis } from './testing/paper-chassis.ts'
import { type PaperNet, paperNet } from './testing/paper-net.ts'
import { type PaperSerial, paperSerial } from './testing/paper-serial.ts'
import { type VirtualClock, virtualClock } from './testing/virtual-clock.ts'

const login = { username: 'admin', password: 'secret-secret', privilege: 'administrator' } as const
let clock: VirtualClock
let serial: PaperSerial
let net: PaperNet
let seen: string
let marks: string[]
let ends: (Error | undefined)[]

function bmcWith(changes: Partial<BmcOptions> = {}): void {
  const users = [
    { name: login.username, password: login.password, privilege: login.privilege },
    { name: 'watcher', password: 'look', privilege: 'user' as const },
  ]
  const onError = (error: unknown): never => {
    throw error
  }
  net.bmc = createBmc({ users, chassis: paperChassis(), clock, onError, serial, ...changes })
}

beforeEach(() => {
  clock = virtualClock()
  serial = paperSerial()
  net = paperNet(undefined as never)
  bmcWith()
  seen = ''
  marks = []
  ends = []
})

const options = (changes: Partial<ConnectOptions> = {}): ConnectOptions => ({
  socket: net,
  host: '127.0.0.1',
  port: 623,
  timeoutMs: 5000,
  clock,
  cipherSuite: 17,
  ...login,
  ...changes,
})

function open(changes: Partial<Parameters<typeof openSol>[0]> = {}): Promise<SolConsole> {
  const hear = {
    onData: (bytes: Uint8Array) => void (seen += Buffer.from(bytes).toString()),
    onMark: (mark: string) => void marks.push(mark),
    onEnd: (reason: Error | undefined) => void ends.push(reason),
  }
  return clock.run(openSol({ ...options(), ...hear, ...changes }))
}

/** Lets time run until this is so; a minute of it at most. */
async function until(isSo: () => boolean): Promise<void> {
  const end = clock.now() + 60_000
  const { promise, resolve } = Promise.withResolvers<void>()
  const look = (): void => void (isSo() || clock.now() > end ? resolve() : clock.after(10, look))
  look()
  await clock.run(promise)
  expect(isSo()).toBe(true)
}

test.each([0, 1, 3, 17] as const)('with cipher suite %i, characters go both ways', async (cipherSuite) => {
  bmcWith({ cipherSuites: [cipherSuite] })
  const console = await open({ cipherSuite })
  serial.print('login: ')
  await until(() => seen === 'login: ')
  expect(console.write(Buffer.from('root\r'))).toBe(5)
  await until(() => serial.typed === 'root\r')
  await clock.run(console.close())
  expect(ends).toEqual([undefined])
  expect(serial.isOpen).toBe(false)
  expect(net.bmc.sessions().active).toBe(0)
})

test('more than a packet holds, over a network that loses every third packet, arrives whole and once', async () => {
  let count = 0
  net.loses = (_direction, packet) =>
    packet.format === '2.0' && packet.payloadType === payloadTypes.sol && (count += 1) % 3 === 0
  const console = await open()
  const text = Array.from({ length: 300 }, (_, n) => `line ${n}\r\n`).join('')
  serial.print(text)
  console.write(Buffer.from(text.slice(0, 2000)))
  await until(() => seen.length >= text.length && serial.typed.length >= 2000)
  expect(seen).toBe(text)
  expect(serial.typed).toBe(text.slice(0, 2000))
})

test('characters that the server does not take yet are sent again', async () => {
  serial.room = 3
  const console = await open()
  console.write(Buffer.from('abcdef'))
  await until(() => serial.typed === 'abc')
  serial.room = 100
  await until(() => serial.typed === 'abcdef')
})

test('a break goes each way, and a flush forgets', async () => {
  const console = await open()
  console.sendBreak()
  await until(() => serial.breaks === 1)
  serial.lineBreak()
  await until(() => marks.includes('break'))
  serial.room = 0
  console.write(Buffer.from('never'))
  console.flush()
  serial.room = 100
  console.write(Buffer.from('yes'))
  await until(() => serial.typed.endsWith('yes'))
  expect(serial.typed).toBe('yes')
})

test('a few characters wait for more, as long as the BMC is told; as many as the threshold do not', async () => {
  bmcWith({ sol: { accumulateMs: 250, threshold: 8 } })
  await open()
  const began = clock.now()
  serial.print('abc')
  await until(() => seen === 'abc')
  expect(clock.now() - began).toBeGreaterThanOrEqual(250)
  const then = clock.now()
  serial.print('12345678')
  await until(() => seen === 'abc12345678')
  expect(clock.now() - then).toBeLessThan(250)
})

test('a second console is told that somebody has it; if it insists, the first one is told so', async () => {
  await open()
  const second = open()
  await expect(second).rejects.toThrow(SolUnavailable)
  await expect(second).rejects.toThrow(
    /BMC 127\.0\.0\.1:623, serial over LAN: another session has the console; close it/,
  )
  await open({ takeOver: true })
  await until(() => ends.length === 1)
  expect(ends[0]?.message).toMatch(/somebody took the console/)
  serial.print('mine')
  await until(() => seen === 'mine')
})

test.each([
  ['is disabled', { sol: { enabled: false } }, {}, /SOL is disabled|serial over LAN is disabled; enable it/],
  ['is absent', { serial: undefined }, {}, /serial over LAN is disabled; enable it/],
  [
    'must be hidden',
    { sol: { needsEncryption: true }, cipherSuites: [1] },
    { cipherSuite: 1 },
    /wants its console encrypted/,
  ],
  ['needs more privilege', {}, { username: 'watcher', password: 'look', privilege: 'user' }, /insufficient privilege/],
  ['is asked for by IPMI 1.5', { ipmi15: true }, { protocolVersion: '1.5' }, /IPMI 1\.5 has no serial over LAN/],
] as const)('a console that %s says so, and the log-in is closed', async (_case, bmc, asked, error) => {
  bmcWith(bmc as Partial<BmcOptions>)
  await expect(open(asked as Partial<ConnectOptions>)).rejects.toThrow(error)
  expect(net.bmc.sessions().active).toBe(0)
})

test('a console that nobody uses for an hour is still there; a BMC that falls silent ends it, and it is said why', async () => {
  await open()
  const end = clock.now() + 3_600_000
  await clock.run(new Promise<void>((resolve) => void clock.after(3_600_000, resolve)))
  expect(clock.now()).toBeGreaterThanOrEqual(end)
  serial.print('still here')
  await until(() => seen === 'still here')
  net.loses = () => true
  await until(() => ends.length === 1)
  expect(ends[0]?.message).toMatch(/no answer within 5 s/)
})

test('a BMC that acknowledges nothing any more ends the console', async () => {
  const console = await open()
  net.loses = (_direction, packet) => packet.format === '2.0' && packet.payloadType === payloadTypes.sol
  console.write(Buffer.from('hello?'))
  await until(() => ends.length === 1)
  expect(ends[0]?.message).toMatch(/acknowledges nothing any more/)
  expect(console.state).toBe('ended')
  expect(console.write(Buffer.from('x'))).toBe(0)
})

test('a console that is slow loses the oldest, and is told; the BMC keeps no more than it can', async () => {
  await open()
  net.loses = (direction) => direction === 'to BMC'
  for (let n = 0; n < 100; n += 1) serial.print('x'.repeat(1000))
  serial.print('the end')
  net.loses = () => false
  await until(() => seen.endsWith('the end'))
  expect(seen.length).toBeLessThanOrEqual(64 * 1024 + 255)
  expect(marks).toContain('overrun')
})

test('a session that goes away leaves the console to others', async () => {
  await open()
  const session = await clock.run(connect(options()))
  const status = () => clock.run(session.send(getPayloadActivationStatus, { type: payloadTypes.sol }))
  expect(await status()).toEqual({ capacity: { most: 1 }, active: 1 })
  const holder = await clock.run(session.send(getPayloadInstanceInfo, { type: payloadTypes.sol, instance: 1 }))
  expect(holder.serialPort).toBe(1)
  await clock.run(session.send(closeSession, { sessionId: holder.session }))
  expect(await status()).toEqual({ capacity: { most: 1 }, active: 0 })
  serial.print('to nobody')
  expect(serial.isOpen).toBe(false)
})

test('the configuration is read and set', async () => {
  const session = await clock.run(connect(options()))
  const run = clock.run.bind(clock)
  expect(await run(readSol(session, parameters.solEnable))).toEqual({ state: { enabled: true } })
  expect(await run(readSol(session, parameters.solPort))).toBe(623)
  expect(await run(readSol(session, parameters.solChannel))).toBe(1)
  await run(writeSol(session, parameters.solBitRate, 9600))
  expect(await run(readSol(session, parameters.solBitRate))).toBe(9600)
  const pace = { intervalMs: 60, threshold: 10 }
  await run(writeSol(session, parameters.solAccumulation, pace))
  expect(await run(readSol(session, parameters.solAccumulation))).toEqual(pace)
  const retry = { retries: { count: 3 }, intervalMs: 250 }
  await run(writeSol(session, parameters.solRetry, retry))
  expect(await run(readSol(session, parameters.solRetry))).toEqual(retry)
  const need = { privilege: 4, authentication: true, encryption: true }
  await run(writeSol(session, parameters.solAuthentication, { need }))
  expect(await run(readSol(session, parameters.solAuthentication))).toEqual({ need })
  await expect(run(writeSol(session, parameters.solChannel, 2))).rejects.toThrow(/completion code 0x82/)
  await expect(writeSol(session, parameters.solBitRate, 1234)).rejects.toThrow(/1234 bit\/s is none of/)
})
