import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { MESSAGE_LIMIT, uplink, type Command, type Uplink } from '../../contract/messages.ts'
import { commandsThrough, remember } from '../ledger/inbox.ts'
import { openLedger, type Ledger } from '../ledger/ledger.ts'
import { openOutbox, type Outbox } from '../ledger/outbox.ts'
import { openUrls, type Urls } from '../ledger/urls.ts'
import { ManualClock, settled } from '../testing/manual-clock.ts'
import { memoryLog } from '../testing/memory-log.ts'
import { forgets } from '../testing/plans.ts'
import { startUplink, type UplinkHandle } from './uplink.ts'

const node = '1be26c0b-03f2-4d2e-ae87-c02d7f33c123'
let clock: ManualClock
let ledger: Ledger
let outbox: Outbox
let urls: Urls
let log: ReturnType<typeof memoryLog>
let handle: UplinkHandle
let up: boolean
let sent: { message: Uplink; bytes: number }[]
let taken: number[]
let onCommand: (command: Command) => void
let down: (payload: string) => void
let connect: () => void

beforeEach(async () => {
  clock = new ManualClock()
  ledger = openLedger(':memory:')
  outbox = openOutbox(ledger, () => clock.now(), randomUUID)
  urls = openUrls(ledger)
  log = memoryLog()
  up = true
  sent = []
  taken = []
  onCommand = (command) => void (remember(ledger, command) && taken.push(command.seq))
  handle = startUplink({
    link: {
      async publish(payload) {
        if (!up) throw new Error('cut off')
        sent.push({ message: uplink.parse(JSON.parse(payload)), bytes: Buffer.byteLength(payload) })
      },
      onMessage: (handler) => (down = handler),
      onConnect: (handler) => (connect = handler),
      end: () => Promise.resolve(),
    },
    ledger,
    outbox,
    urls,
    clock,
    random: () => 0.5,
    software: 'test',
    log,
    onCommand: (command) => onCommand(command),
    onConsole: () => {},
    onPlace: () => {},
    onPrefetch: () => {},
  })
  await settled()
})
afterEach(async () => {
  await handle.stop()
  ledger.close()
})

function tell(count: number, detail = '{}'): void {
  for (let each = 0; each < count; each += 1)
    outbox.append({ kind: 'unknown_machine', address: '52:54:00:00:00:01', detail })
}
function deliver(commands: Command[], more: object = {}): Promise<void> {
  down(JSON.stringify({ v: 1, kind: 'commands', commands, urls: {}, stored_from: 1, ...more }))
  return settled()
}
const received = (reports_through: number): void => down(JSON.stringify({ v: 1, kind: 'received', reports_through }))
const ofKind = <K extends Uplink['kind']>(kind: K) =>
  sent.map(({ message }) => message).filter((each): each is Extract<Uplink, { kind: K }> => each.kind === kind)
const batches = (): number[][] => ofKind('reports').map(({ reports }) => reports.map(({ seq }) => seq))

it('says hello with what it has when it is connected, and then what was waiting', async () => {
  up = false
  tell(2)
  await settled()
  up = true
  connect()
  await settled()
  expect(sent.map(({ message }) => message.kind)).toEqual(['alive', 'reports'])
  expect(ofKind('alive')[0]).toMatchObject({ hello: true, commands_through: 0, software: 'test' })
  expect(batches()).toEqual([[1, 2]])
})

it('says that it is alive about every 20 s', async () => {
  await clock.advance(120_000)
  expect(ofKind('alive').length).toBeGreaterThanOrEqual(4)
  expect(ofKind('alive').length).toBeLessThanOrEqual(6)
  expect(ofKind('alive').every(({ hello }) => !hello)).toBe(true)
})

it('sends a report at once, and again every 15 s or so until the cloud has it', async () => {
  tell(1)
  await settled()
  expect(batches()).toEqual([[1]])
  await clock.advance(21_000)
  expect(batches()).toEqual([[1], [1]])
  received(1)
  await clock.advance(60_000)
  expect(batches()).toEqual([[1], [1]])
})

it('does not wait for one report to be acknowledged before it sends the next', async () => {
  tell(1)
  await settled()
  tell(1)
  await settled()
  expect(batches()).toEqual([[1], [2]])
})

it('cuts what is waiting into messages below the limit, in order', async () => {
  up = false
  tell(250, 'é'.repeat(500))
  await settled()
  up = true
  connect()
  await settled()
  expect(batches().flat()).toEqual(Array.from({ length: 250 }, (_, index) => index + 1))
  expect(Math.max(...sent.map(({ bytes }) => bytes))).toBeLessThanOrEqual(MESSAGE_LIMIT)
  expect(batches().length).toBeLessThan(10)
})

it('takes commands in the order of their numbers and acknowledges them', async () => {
  await deliver([forgets(2, node, 2), forgets(1, node, 1)])
  expect(taken).toEqual([1, 2])
  expect(ofKind('alive').at(-1)).toMatchObject({ commands_through: 2, hello: false })
})

it('learns the URLs of a command that it has already, and takes it once', async () => {
  await deliver([forgets(1, node, 1)], { urls: { image: 'https://blobs/1' } })
  await deliver([forgets(1, node, 1)], { urls: { image: 'https://blobs/2' } })
  expect(taken).toEqual([1])
  expect(urls.urlOf({ kind: 'blob', key: 'image' })).toBe('https://blobs/2')
})

it('begins where the cloud still has commands', async () => {
  await deliver([forgets(42, node, 1)], { stored_from: 42 })
  expect(commandsThrough(ledger)).toBe(42)
})

it('drops what it does not understand, and goes on', async () => {
  for (const poison of [
    '',
    '{',
    'null',
    '[]',
    '{"v":2}',
    '{"v":1,"kind":"commands","commands":[]}',
    '\u0000'.repeat(99),
  ])
    down(poison)
  await deliver([forgets(1, node, 1)])
  expect(taken).toEqual([1])
  expect(log.lines.filter(({ level }) => level === 'warn').length).toBe(7)
})

it('refuses a command of a kind that it does not know, once, and takes the others of its message', async () => {
  const strange = { ...forgets(1, node, 7), kind: 'turn', degrees: 90 } as unknown as Command
  await deliver([strange, forgets(2, node, 8)])
  await deliver([strange, forgets(2, node, 8)])
  expect(taken).toEqual([2])
  expect(ofKind('alive').at(-1)).toMatchObject({ commands_through: 2 })
  expect(outbox.pending(0, 10)).toEqual([
    expect.objectContaining({
      kind: 'refused',
      node,
      generation: 7,
      command: 'turn',
      text: '(software test) does not know the command "turn": update it',
    }),
  ])
})

it('refuses a command whose content it can not read, and says what of it', async () => {
  await deliver([{ ...forgets(1, node, 7), kind: 'run', plan: { steps: 'dance' } } as unknown as Command])
  const [refused] = outbox.pending(0, 10)
  expect(refused).toMatchObject({ kind: 'refused', command: 'run' })
  expect(refused).toHaveProperty('text', expect.stringMatching(/can't read the command "run": plan.*: update it$/s))
})

it('acknowledges a command of which it can read no more than the number', async () => {
  await deliver([{ seq: 1, kind: 'turn' } as unknown as Command])
  expect(ofKind('alive').at(-1)).toMatchObject({ commands_through: 1 })
  expect(outbox.pending(0, 10)).toEqual([])
})

it('does not acknowledge a command that could not be taken in, and is not held up by it', async () => {
  const fine = onCommand
  onCommand = (command) => {
    if (command.seq === 1) throw new Error('disk full')
    fine(command)
  }
  await deliver([forgets(1, node, 1), forgets(2, node, 2)])
  expect(ofKind('alive').at(-1)).toMatchObject({ commands_through: 0 })
  onCommand = fine
  await deliver([forgets(1, node, 1), forgets(2, node, 2)])
  expect(taken).toEqual([2, 1])
  expect(ofKind('alive').at(-1)).toMatchObject({ commands_through: 2 })
})

it('asks for fresh URLs at once, but not in every moment that somebody misses them', async () => {
  for (let each = 0; each < 50; each += 1) handle.refresh('images/7')
  await settled()
  handle.refresh('images/8')
  await settled()
  const asked = () => ofKind('alive').flatMap(({ refresh }) => refresh)
  expect(asked()).toEqual(['images/7', 'images/8'])
  await clock.advance(16_000)
  handle.refresh('images/7')
  await settled()
  expect(asked().filter((key) => key === 'images/7').length).toBe(2)
})

it('keeps asking for URLs that it could not ask for while it was cut off', async () => {
  up = false
  handle.refresh('images/7')
  await settled()
  up = true
  connect()
  await settled()
  expect(ofKind('alive')[0]).toMatchObject({ hello: true, refresh: ['images/7'] })
})
