import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { LOG_PART, type Recorded } from '../../contract/console.ts'
import { MESSAGE_LIMIT, type Uplink, uplink } from '../../contract/messages.ts'
import { HardwareError } from '../hardware-error.ts'
import { type Ledger, openLedger } from '../ledger/ledger.ts'
import { ManualClock, settled } from '../testing/manual-clock.ts'
import { memoryLog } from '../testing/memory-log.ts'
import { type Consoles, openConsoles } from './consoles.ts'
import type { ConsoleEars } from './line.ts'
import { openRecordings } from './recording.ts'

const node = '1be26c0b-03f2-4d2e-ae87-c02d7f33c123'
const from = '00000000-0000-4000-8000-0000000000aa'

let dir: string
let clock: ManualClock
let ledger: Ledger
let consoles: Consoles
let sent: Uplink[]
let isUp: boolean
/** The machine's end of its serial port; undefined: nobody has it open. */
let ears: ConsoleEars | undefined
let opened: number
let typed: string
let breaks: number
let broken: Error | undefined
let room: number
let learnt: string[]
let seq = 0

function start(): Consoles {
  return openConsoles({
    ledger,
    clock,
    random: () => 0.5,
    uuid: randomUUID,
    log: memoryLog(),
    recordings: openRecordings(dir),
    consoleOf: (of) =>
      of === node
        ? (hear) => {
            opened += 1
            if (broken) return Promise.reject(broken)
            ears = hear
            return Promise.resolve({
              suspended: false,
              write(bytes: Uint8Array) {
                const taken = bytes.subarray(0, room)
                room -= taken.length
                typed += Buffer.from(taken).toString()
                return taken.length
              },
              sendBreak: () => (breaks += 1),
              close: () => Promise.resolve(void (ears = undefined)),
            })
          }
        : undefined,
    learn: (machine) => void learnt.push(machine.node),
    publish(message) {
      const text = JSON.stringify(message)
      expect(Buffer.byteLength(text)).toBeLessThanOrEqual(MESSAGE_LIMIT)
      if (!isUp) return Promise.reject(new Error('cut off'))
      sent.push(uplink.parse(JSON.parse(text)))
      return Promise.resolve()
    },
  })
}

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'consoles-'))
  clock = new ManualClock()
  ledger = openLedger(':memory:')
  sent = []
  isUp = true
  ears = undefined
  opened = 0
  typed = ''
  learnt = []
  breaks = 0
  broken = undefined
  room = Number.POSITIVE_INFINITY
  consoles = start()
})
afterEach(async () => {
  const stopped = consoles.stop()
  await clock.advance(10_000)
  await stopped
  ledger.close()
  rmSync(dir, { recursive: true })
})

const print = (text: string): void => ears?.data(Buffer.from(text))
const watch = (snapshot = true): void => consoles.asked(node, { act: 'watch', seconds: 30, snapshot })
const chunks = () => sent.flatMap((message) => (message.kind === 'console' ? [message.chunk] : []))
const texts = (): string =>
  chunks()
    .map(({ text }) => text ?? '')
    .join('')

function enable(enabled: boolean): void {
  seq += 1
  const at = clock.now().toISOString()
  consoles.accept({ id: randomUUID(), seq, node, generation: 1, issued_at: at, deadline: at, kind: 'console', enabled })
}

test('a console that somebody watches is open, sends the screen first and then what is printed, and is closed when nobody renews', async () => {
  watch()
  await clock.advance(50)
  print('login: ')
  await clock.advance(500)
  expect(chunks()[0]).toMatchObject({ seq: 1, screen: [], text: null })
  expect(texts()).toBe('login: ')
  expect(chunks().map((chunk) => chunk.seq)).toEqual(chunks().map((_, index) => index + 1))
  await clock.advance(25_000)
  watch(false)
  await clock.advance(25_000)
  expect(ears).toBeDefined()
  await clock.advance(6_000)
  expect(ears).toBeUndefined()
  const before = sent.length
  await clock.advance(60_000)
  expect(sent.length).toBe(before)
})

test('a second watcher gets the screen as it is', async () => {
  watch()
  await clock.advance(50)
  print('one\r\ntwo')
  await clock.advance(2_000)
  watch()
  await clock.advance(1_000)
  expect(chunks().at(-1)).toMatchObject({ screen: ['one', 'two'], text: null })
})

test('a console that prints without end does not fill the line: now and then its screen is sent', async () => {
  watch()
  await clock.advance(50)
  let printed = 0
  for (let second = 0; second < 30; second += 1) {
    for (let n = 0; n < 1000; n += 1) print(`${(printed += 1)} ${'x'.repeat(70)}\r\n`)
    await clock.advance(900)
  }
  const bytes = sent.reduce((sum, message) => sum + JSON.stringify(message).length, 0)
  expect(bytes).toBeLessThan(1_000_000)
  watch(false)
  await clock.advance(3_000)
  expect(
    chunks()
      .findLast(({ screen }) => screen)
      ?.screen?.join(''),
  ).toContain(`${printed} x`)
})

test('what a line that was cut lost is made good by the screen', async () => {
  watch()
  await clock.advance(200)
  isUp = false
  print('unseen\r\n')
  await clock.advance(2_000)
  isUp = true
  await clock.advance(2_000)
  expect(chunks().at(-1)).toMatchObject({ screen: ['unseen'] })
})

test('what is typed reaches the machine once and in order, also where it is slow to take it; only of who watches', async () => {
  const type = (number: number, text: string, line_break = false): void =>
    consoles.asked(node, { act: 'type', from, number, text, line_break })
  type(1, 'nobody watches')
  watch()
  await clock.advance(50)
  room = 3
  type(1, 'abc')
  type(2, 'def', true)
  type(2, 'def', true)
  type(1, 'abc')
  await clock.advance(100)
  expect(typed).toBe('abc')
  room = 100
  await clock.advance(100)
  expect(typed).toBe('abcdef')
  expect(breaks).toBe(1)
})

test('an enabled console is open in this life and the next, and is recorded with its times', async () => {
  enable(true)
  await clock.advance(50)
  print('kernel: ')
  await clock.advance(1_500)
  print('ok\r\n')
  await clock.advance(1_500)
  consoles.asked(node, { act: 'log', request: from })
  await settled()
  const parts = sent.flatMap((message) => (message.kind === 'console_log' ? [message] : []))
  expect(parts).toMatchObject([{ part: 0, parts: 1, request: from }])
  const lines = parts[0]!.text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Recorded)
  expect(lines.map(([, kind, text]) => `${kind} ${text}`)).toEqual(['m connected', 'o kernel: ', 'o ok\r\n'])
  expect(Date.parse(lines[2]![0]) - Date.parse(lines[1]![0])).toBe(1_500)
  await consoles.stop()
  consoles = start()
  await clock.advance(10_000)
  expect(ears).toBeDefined()
  enable(false)
  await clock.advance(50)
  expect(ears).toBeUndefined()
})

test('a long recording comes in parts, whatever characters it has', async () => {
  enable(true)
  await clock.advance(50)
  for (let n = 0; n < 300; n += 1) print('\u001b[31m"\\ü€\u0000'.repeat(20))
  await clock.advance(2_000)
  consoles.asked(node, { act: 'log', request: from })
  await settled()
  const parts = sent.flatMap((message) => (message.kind === 'console_log' ? [message] : []))
  expect(parts.length).toBeGreaterThan(1)
  expect(parts.every(({ text }) => text.length <= LOG_PART)).toBe(true)
  const lines = parts
    .map(({ text }) => text)
    .join('')
    .split('\n')
    .filter(Boolean)
  expect(lines.map((line) => (JSON.parse(line) as Recorded)[2]).join('')).toContain('ü€')
})

test('a console that is lost is opened again, later and later; its recording and its watchers are told why', async () => {
  broken = new HardwareError('BMC 10.0.0.5:623, serial over LAN: another session has the console')
  enable(true)
  watch()
  await clock.advance(600_000)
  expect(opened).toBeGreaterThan(5)
  expect(opened).toBeLessThan(15)
  expect(chunks().find(({ note }) => note !== null)).toMatchObject({ state: 'connecting', note: /another session/ })
  broken = undefined
  await clock.advance(150_000)
  expect(ears).toBeDefined()
  ears?.lost(new HardwareError('the BMC ended it'))
  await clock.advance(5_000)
  expect(ears).toBeDefined()
})

test('while a plan is under way the console is open, and its screen is known; afterwards it is closed', async () => {
  const leave = consoles.attend(node)
  await clock.advance(50)
  print('no bootable device')
  expect(consoles.screenOf(node)).toEqual(['no bootable device'])
  leave()
  await clock.advance(50)
  expect(ears).toBeUndefined()
  expect(consoles.screenOf(node)).toBeUndefined()
})

test('a machine without a console says so to who watches', async () => {
  const other = '00000000-0000-4000-8000-000000000001'
  consoles.attend(other)()
  consoles.asked(other, { act: 'watch', seconds: 30, snapshot: true })
  await settled()
  expect(chunks()).toMatchObject([
    { state: 'off', note: /knows no console of this machine: set its console_interface and enable/ },
  ])
})

test('a node that is forgotten loses its recording', async () => {
  enable(true)
  await clock.advance(50)
  print('secret')
  await clock.advance(1_500)
  consoles.forget(node)
  await clock.advance(1_000)
  expect(openRecordings(dir).read(node)).toBe('')
})
