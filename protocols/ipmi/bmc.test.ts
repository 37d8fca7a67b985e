import { beforeEach, describe, expect, test } from 'vitest'
import { type Bmc, createBmc } from './bmc.ts'
import { bootFlags, noBootFlags, setInProgress, validBitClearing } from './boot-parameters.ts'
import { cipherSuites } from './cipher-suite.ts'
import { type Command, encodeWith } from './command.ts'
import * as commands from './commands.ts'
import type { SessionKeys } from './crypto.ts'
import { handshake } from './handshake.ts'
import { decodeMessage, encodeMessage } from './message.ts'
import { decodePacket, encodePacket, type Packet20, payloadTypes, plainPacket } from './packet.ts'
import {
  decodeOpenSessionResponse,
  decodeRakp4,
  encodeOpenSessionRequest,
  encodeRakp1,
  encodeRakp3,
  isAccepted,
} from './rakp.ts'
import { seal, unseal } from './seal.ts'
import { hex } from './testing/capture.ts'
import { type PaperChassis, paperChassis } from './testing/paper-chassis.ts'
import { type VirtualClock, virtualClock } from './testing/virtual-clock.ts'

let clock: VirtualClock
let chassis: PaperChassis
let faults: unknown[]
let bmc: Bmc

beforeEach(() => {
  clock = virtualClock()
  chassis = paperChassis()
  faults = []
  const users = [{ name: 'admin', password: 'secret', privilege: 'administrator' }] as const
  bmc = createBmc({ users, chassis, clock, onError: (error) => void faults.push(error) })
})

/** A console of the barest kind: what it sends is in the test's hands. */
interface Console {
  keys: SessionKeys
  bmcId: number
  seal<Q, R>(command: Command<Q, R>, request: Q, sequence: number, requestNumber?: number): Uint8Array
  send<Q, R>(command: Command<Q, R>, request: Q): Promise<Uint8Array | undefined>
}

async function logIn(): Promise<Console> {
  const names = { username: Buffer.from('admin'), password: Buffer.from('secret') }
  const consoleRandom = new Uint8Array(16).fill(9)
  const ladder = handshake({ suite: cipherSuites[17], ...names, privilege: 4, tag: 5, consoleId: 77, consoleRandom })
  let turn = ladder.next()
  while (!turn.done) {
    const answer = await bmc.receive(encodePacket(plainPacket(turn.value.payloadType, turn.value.payload)))
    turn = ladder.next((decodePacket(answer!) as Packet20).payload)
  }
  if (turn.value.result !== 'open') throw new Error(turn.value.result)
  const { keys, bmcId } = turn.value
  let count = 0
  const console: Console = {
    keys,
    bmcId,
    seal: (command, request, sequence, requestNumber = sequence & 0x3f) => {
      const { netFn, code } = command
      const header = { netFn, command: code, sequence: requestNumber, to: 0x20, from: 0x81 }
      const message = encodeMessage({ ...header, data: encodeWith(command.request, request) })
      return seal(keys, { sessionId: bmcId, sequence }, message, new Uint8Array(16))
    },
    send: async (command, request) => open(keys, await bmc.receive(console.seal(command, request, (count += 1)))),
  }
  await console.send(commands.setSessionPrivilege, { level: 4 })
  return console
}

/** Data of the response, completion code first. */
function open(keys: SessionKeys, bytes: Uint8Array | undefined): Uint8Array | undefined {
  return bytes && decodeMessage(unseal(keys, decodePacket(bytes) as Packet20, bytes)).data
}

function openRequest(consoleId: number): Uint8Array {
  const payload = encodeOpenSessionRequest({ tag: 1, privilege: 4, consoleId, algorithms: cipherSuites[17] })
  return encodePacket(plainPacket(payloadTypes.openSessionRequest, payload))
}

const flags = (flags: Partial<typeof noBootFlags.flags>): Uint8Array =>
  encodeWith(bootFlags.data, { ...noBootFlags, flags: { ...noBootFlags.flags, ...flags } })
const setOption = (selector: number, data: Uint8Array) => ({ parameter: { selector, locked: false }, data })
const getOption = (selector: number) => ({ selector, set: 0, block: 0 })

test('a ping is answered: here is IPMI', async () => {
  const pong = await bmc.receive(hex('0600ff06 000011be 80 2a 00 00'))
  expect(decodePacket(pong!)).toEqual({ format: 'asf', type: 'pong', tag: 0x2a, ipmi: true })
})

describe('log-in', () => {
  /** A console that goes on after RAKP 2 without knowing the password. */
  async function rakp3Of(code: Uint8Array): Promise<Packet20> {
    const opened = decodeOpenSessionResponse((decodePacket((await bmc.receive(openRequest(77)))!) as Packet20).payload)
    if (!isAccepted(opened)) throw new Error('refused')
    const { bmcId } = opened
    const rakp1 = { tag: 1, bmcId, consoleRandom: new Uint8Array(16), role: 0x14, username: Buffer.from('admin') }
    await bmc.receive(encodePacket(plainPacket(payloadTypes.rakp1, encodeRakp1(rakp1))))
    const rakp3 = encodeRakp3({ tag: 1, status: 0, bmcId, code })
    return decodePacket((await bmc.receive(encodePacket(plainPacket(payloadTypes.rakp3, rakp3))))!) as Packet20
  }

  test.each([0, 20, 32])('a console whose RAKP 3 has %i bytes of wrong code gets no session', async (length) => {
    const { payload } = await rakp3Of(new Uint8Array(length))
    expect(decodeRakp4(payload)).toEqual({ tag: 1, status: 0x0f, consoleId: 77, code: hex('') })
    expect(bmc.sessions()).toEqual({ pending: 0, active: 0 })
  })

  test('RAKP 3 before RAKP 1, or for no session, is not answered', async () => {
    const opened = decodeOpenSessionResponse((decodePacket((await bmc.receive(openRequest(77)))!) as Packet20).payload)
    for (const bmcId of [1, isAccepted(opened) ? opened.bmcId : 0]) {
      const rakp3 = encodeRakp3({ tag: 1, status: 0, bmcId, code: new Uint8Array(32) })
      expect(await bmc.receive(encodePacket(plainPacket(payloadTypes.rakp3, rakp3)))).toBeUndefined()
    }
    expect(bmc.sessions().active).toBe(0)
  })
})

describe('sessions', () => {
  test('a replayed packet is dropped, and does nothing', async () => {
    const console = await logIn()
    const packet = console.seal(commands.chassisControl, { action: 'on' }, 10)
    expect(await bmc.receive(packet)).toBeDefined()
    expect(await bmc.receive(packet)).toBeUndefined()
    expect(chassis.told).toEqual(['on'])
    expect(bmc.dropped()).toBe(1)
  })

  test('a repeated request gets its answer and is done once; a new one of the same kind is done', async () => {
    const console = await logIn()
    const ask = async (sequence: number, number: number) =>
      open(console.keys, await bmc.receive(console.seal(commands.chassisControl, { action: 'on' }, sequence, number)))
    expect([await ask(10, 1), await ask(11, 1)]).toEqual([hex('00'), hex('00')])
    expect(chassis.told).toEqual(['on'])
    await ask(12, 2)
    expect(chassis.told).toEqual(['on', 'on'])
    clock.pass(5001)
    await ask(13, 2)
    expect(chassis.told).toEqual(['on', 'on', 'on'])
  })

  test('a flood of log-ins that are begun and not ended stays within its bound', async () => {
    for (let consoleId = 1; consoleId <= 1000; consoleId += 1) await bmc.receive(openRequest(consoleId))
    expect(bmc.sessions()).toEqual({ pending: 16, active: 0 })
    clock.pass(10_001)
    expect(bmc.sessions()).toEqual({ pending: 0, active: 0 })
  })

  test('no more than 16 are logged in at a time, and silence of a minute ends them', async () => {
    for (let count = 0; count < 16; count += 1) await logIn()
    await expect(logIn()).rejects.toThrow('refused')
    clock.pass(60_001)
    await logIn()
    expect(bmc.sessions()).toEqual({ pending: 0, active: 1 })
  })

  test('requests wait their turn, and more than a few at once are dropped', async () => {
    const console = await logIn()
    const { promise, resolve } = Promise.withResolvers<'on'>()
    chassis.power = () => promise
    const answers = [10, 11, 12, 13, 14, 15].map((n) =>
      bmc.receive(console.seal(commands.getChassisStatus, undefined, n)),
    )
    resolve('on')
    const settled = await Promise.all(answers)
    expect(settled.filter((answer) => answer !== undefined)).toHaveLength(4)
    expect(await console.send(commands.getChassisStatus, undefined)).toBeDefined()
  })

  test('outside a session only what needs none is answered', async () => {
    const message = encodeMessage({ netFn: 0, command: 1, sequence: 1, to: 0x20, from: 0x81, data: hex('') })
    const answer = await bmc.receive(encodePacket(plainPacket(payloadTypes.message, message)))
    expect(decodeMessage((decodePacket(answer!) as Packet20).payload).data).toEqual(hex('d4'))
  })

  test('a response is never answered', async () => {
    const message = encodeMessage({ netFn: 7, command: 1, sequence: 1, to: 0x20, from: 0x81, data: hex('') })
    expect(await bmc.receive(encodePacket(plainPacket(payloadTypes.message, message)))).toBeUndefined()
  })
})

describe('boot options', () => {
  const uncontrolled = encodeWith(validBitClearing.data, {
    keep: {
      onPowerButton: false,
      onResetButton: false,
      onWatchdog: false,
      withoutControlIn60s: true,
      onPefReset: false,
    },
  })

  test.each([
    ['is no longer valid after 60 s without a power command', [], 60_000, false],
    ['is valid until then', [], 59_999, true],
    ['stays valid when parameter 3 says so', ['keep'], 60_000, true],
    ['stays valid once a power command came', ['control'], 60_000, true],
  ] as const)('a boot choice %s', async (_name, steps, wait, valid) => {
    const console = await logIn()
    if (steps.some((step) => step === 'keep')) {
      await console.send(commands.setSystemBootOptions, setOption(validBitClearing.selector, uncontrolled))
    }
    const choice = setOption(bootFlags.selector, flags({ valid: true }))
    await console.send(commands.setSystemBootOptions, choice)
    if (steps.some((step) => step === 'control')) await console.send(commands.chassisControl, { action: 'on' })
    clock.pass(wait)
    // The session itself has expired by then.
    await (await logIn()).send(commands.getSystemBootOptions, getOption(bootFlags.selector))
    expect(chassis.flags.flags.valid).toBe(valid)
  })

  test('parameters 0 to 5 keep what was written, and there is no parameter 6', async () => {
    const console = await logIn()
    const rows = [
      [setInProgress.selector, '01', '01'],
      [1, '07', '07'],
      [2, '03', '03'],
      [3, 'ff', '1f'],
      [4, '0303', '0003'],
      [5, 'e008000000', 'e008000000'],
    ] as const
    for (const [selector, written, read] of rows) {
      expect(await console.send(commands.setSystemBootOptions, setOption(selector, hex(written)))).toEqual(hex('00'))
      const answer = await console.send(commands.getSystemBootOptions, getOption(selector))
      expect(answer).toEqual(hex(`00 01 0${selector} ${read}`))
    }
    expect(await console.send(commands.setSystemBootOptions, setOption(6, hex('00')))).toEqual(hex('80'))
    expect(await console.send(commands.getSystemBootOptions, getOption(6))).toEqual(hex('80'))
  })

  test('an acknowledgement changes only the bits of its mask', async () => {
    const console = await logIn()
    await console.send(commands.setSystemBootOptions, setOption(4, hex('03 03')))
    await console.send(commands.setSystemBootOptions, setOption(4, hex('05 04')))
    expect(await console.send(commands.getSystemBootOptions, getOption(4))).toEqual(hex('00 01 04 0006'))
  })

  test('a write without data locks a parameter and leaves its value', async () => {
    const console = await logIn()
    await console.send(commands.setSystemBootOptions, setOption(1, hex('07')))
    await console.send(commands.setSystemBootOptions, { parameter: { selector: 1, locked: true }, data: hex('') })
    expect(await console.send(commands.getSystemBootOptions, getOption(1))).toEqual(hex('00 01 81 07'))
  })

  test('data that are too short change nothing', async () => {
    const console = await logIn()
    expect(await console.send(commands.setSystemBootOptions, setOption(5, hex('e004')))).toEqual(hex('cc'))
    expect(chassis.flags).toEqual(noBootFlags)
  })
})

test('a chassis that breaks is an unspecified error to the console and reported to its owner', async () => {
  const console = await logIn()
  const broken = new Error('no such machine')
  chassis.control = () => Promise.reject(broken)
  expect(await console.send(commands.chassisControl, { action: 'on' })).toEqual(hex('ff'))
  expect(faults).toEqual([broken])
})
