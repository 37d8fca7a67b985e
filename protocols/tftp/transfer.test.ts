import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { negotiate } from './negotiate.ts'
import { toNetascii } from './netascii.ts'
import { receive, request, waited, type Reaction, type Receiver } from './receiver.ts'
import { begin, step, type Action, type Transfer } from './transfer.ts'

function terms(options: Record<string, string> = {}, size = 0): ReturnType<typeof negotiate> {
  return negotiate(new Map(Object.entries(options)), size)
}

function ack(transfer: Transfer, block: number, now: number): [Transfer, Action[]] {
  return step(transfer, { kind: 'ack', block }, now)
}

test.each([
  [{}, 512, 1, {}],
  [{ blksize: '1432', tsize: '0' }, 1432, 1, { blksize: '1432', tsize: '999' }],
  [{ blksize: '65464' }, 1468, 1, { blksize: '1468' }],
  [{ blksize: '4' }, 512, 1, {}],
  [{ blksize: 'many' }, 512, 1, {}],
  [{ windowsize: '4' }, 512, 4, { windowsize: '4' }],
  [{ windowsize: '65535' }, 512, 64, { windowsize: '64' }],
  [{ windowsize: '0', timeout: '0', tsize: '-1', x: 'y' }, 512, 1, {}],
  [{ timeout: '3' }, 512, 1, { timeout: '3' }],
])('of %j is agreed what is in range', (asked, blksize, windowsize, agreed) => {
  const result = terms(asked as Record<string, string>, 999)
  expect(result).toMatchObject({ blksize, windowsize })
  expect(Object.fromEntries(result.agreed)).toEqual(agreed)
})

test('without options the first block goes at once; a file that fills its blocks ends with an empty one', () => {
  const [first, actions] = begin(1_024, terms(), 0)
  expect(actions).toEqual([{ send: 'data', from: 1, to: 1 }])
  expect(first.blocks).toBe(3)
  const [second] = ack(first, 1, 1)
  const [third, last] = ack(second, 2, 2)
  expect(last).toEqual([{ send: 'data', from: 3, to: 3 }])
  expect(ack(third, 3, 3)[0].phase).toBe('complete')
})

test('with options the OACK goes first and the window follows its ACK', () => {
  const [asked, oack] = begin(5_000, terms({ windowsize: '4' }), 0)
  expect(oack).toEqual([{ send: 'oack' }])
  expect(ack(asked, 0, 1)[1]).toEqual([{ send: 'data', from: 1, to: 4 }])
})

test('an ACK that comes twice in lock-step causes no second block', () => {
  const [first] = begin(5_000, terms(), 0)
  const [second] = ack(first, 1, 1)
  expect(ack(second, 1, 2)[1]).toEqual([])
})

test('an ACK inside a window sends everything behind it again', () => {
  const [asked] = begin(50_000, terms({ windowsize: '8' }), 0)
  const [sent] = ack(asked, 0, 10)
  const [again, actions] = ack(sent, 3, 20)
  expect(actions).toEqual([{ send: 'data', from: 4, to: 11 }])
  expect(again.repeated).toBe(5)
})

test('the ACK before a window, late enough to be an answer to it, sends the window again once', () => {
  const [asked] = begin(50_000, terms({ windowsize: '8' }), 0)
  const [sent] = ack(asked, 0, 10)
  expect(ack(sent, 0, 11)[1]).toEqual([])
  const [again, actions] = ack(sent, 0, 20)
  expect(actions).toEqual([{ send: 'data', from: 1, to: 8 }])
  expect(ack(again, 0, 40)[1]).toEqual([])
})

test('block numbers go on behind 65,535 at 0', () => {
  const size = 70_000 * 512
  let [transfer] = begin(size, terms(), 0)
  for (let block = 1; block <= transfer.blocks; block += 1) [transfer] = ack(transfer, block & 0xffff, block)
  expect(transfer).toMatchObject({ phase: 'complete', acked: 70_001, repeated: 0 })
})

test('silence is asked after with the last block, then repeats the window at growing distances, then ends with what was missing', () => {
  let [transfer, actions] = begin(5_000, terms({ windowsize: '2' }), 0)
  ;[transfer] = ack(transfer, 0, 10)
  const times: number[] = []
  const said: Action[] = []
  while (transfer.phase === 'data') {
    times.push(transfer.due)
    ;[transfer, actions] = step(transfer, { kind: 'timer' }, transfer.due)
    said.push(...actions)
  }
  const gaps = times.map((time, index) => time - (times[index - 1] ?? 10))
  expect(gaps).toEqual([200, 200, 400, 800, 1600, 3200, 6400])
  const window = { send: 'data', from: 1, to: 2 }
  expect(said).toEqual([{ send: 'data', from: 2, to: 2 }, window, window, window, window, window])
  expect(transfer).toMatchObject({ phase: 'timeout', because: 'block 1 of 10 was sent 6 times without an ACK' })
})

test('in lock-step silence repeats the block, no sooner than after a fifth of a second', () => {
  const [first] = begin(5_000, terms(), 0)
  const [second] = ack(first, 1, 2)
  expect(second.due).toBe(202)
  expect(step(second, { kind: 'timer' }, 202)[1]).toEqual([{ send: 'data', from: 2, to: 2 }])
})

test('after a gap, windows go out in bursts, the next when a gap in the one before would be known', () => {
  const [asked] = begin(500_000, terms({ windowsize: '64' }), 0)
  const [sent, all] = ack(asked, 0, 10)
  expect(all).toEqual([{ send: 'data', from: 1, to: 64 }])
  const [second, burst] = ack(sent, 20, 20)
  expect(burst).toEqual([{ send: 'data', from: 21, to: 36 }])
  const [third, next] = step(second, { kind: 'timer' }, second.due)
  expect(next).toEqual([{ send: 'data', from: 37, to: 52 }])
  // A gap in the first burst: the rest of the window was not sent in vain.
  const [fourth, back] = ack(third, 30, third.due - 1)
  expect(back).toEqual([{ send: 'data', from: 31, to: 46 }])
  expect(fourth.repeated).toBe(44 + 22)
})

test('a timeout that the client asked for is kept', () => {
  const [transfer] = begin(5_000, terms({ timeout: '3' }), 0)
  expect(ack(transfer, 0, 5)[0].due).toBe(3_005)
})

test.each([
  ['the answer to a size probe', { tsize: '0' }, 8, 'probed'],
  ['a refusal of options', { blksize: '1432' }, 8, 'aborted'],
  ['a full disk', { tsize: '0' }, 3, 'aborted'],
])('an error after the OACK that is %s', (_, options, code, phase) => {
  const [transfer] = begin(5_000, terms(options as Record<string, string>), 0)
  expect(step(transfer, { kind: 'error', code, message: 'x' }, 1)[0].phase).toBe(phase)
})

test('over a link that loses, doubles and swaps, what arrives is what was sent', () => {
  const link = fc.record({
    size: fc.nat(40_000),
    windowsize: fc.constantFrom(1, 2, 4, 16),
    fates: fc.infiniteStream(fc.nat(99)),
  })
  fc.assert(
    fc.property(link, ({ size, windowsize, fates }) => {
      const file = Uint8Array.from({ length: size }, (_, index) => (index * 7 + (index >> 9)) & 0xff)
      const { received, sender } = exchange(file, windowsize, () => fates.next().value ?? 99)
      expect(sender.phase).toMatch(/complete|timeout/)
      if (sender.phase === 'complete') expect(Buffer.from(received).equals(file)).toBe(true)
      else expect(Buffer.from(file).subarray(0, received.length).equals(received)).toBe(true)
    }),
    { numRuns: 300 },
  )
})

test('what a text file becomes as network text', () => {
  expect(Buffer.from(toNetascii(Buffer.from('a\nb\rc'))).toString()).toBe('a\r\nb\r\0c')
})

/** Both machines and a link between them; 2 of 100 datagrams are lost, 3 doubled, 3 delayed. */
function exchange(file: Uint8Array, windowsize: number, fate: () => number): { received: Buffer; sender: Transfer } {
  const blksize = 512
  const pieces: Uint8Array[] = []
  const flying: { at: number; arrive: () => void }[] = []
  let now = 0
  let receiver: Receiver = request({ blksize, windowsize })
  let quiet = 1_000
  let [sender, first] = begin(file.length, terms({ windowsize: String(windowsize), blksize: '512' }), now)
  const carry = (arrive: () => void): void => {
    const luck = fate()
    if (luck >= 2) flying.push({ at: now + (luck < 8 && luck > 4 ? 7 : 1), arrive })
    if (luck >= 2 && luck <= 4) flying.push({ at: now + 2, arrive })
  }
  const send = (actions: Action[]): void => {
    for (const action of actions) {
      if (action.send === 'oack') {
        const options = new Map(sender.terms.agreed)
        carry(() => hear(receive(receiver, { op: 'oack', options })))
        continue
      }
      for (let block = action.from; block <= action.to; block += 1) {
        const data = file.subarray((block - 1) * blksize, block * blksize)
        carry(() => hear(receive(receiver, { op: 'data', block: block & 0xffff, data })))
      }
    }
  }
  const hear = ([next, reactions]: [Receiver, Reaction[]]): void => {
    // As in the client: behind the end, the last block is acknowledged again.
    if (receiver.phase === 'complete') return acknowledge(receiver.received & 0xffff)
    receiver = next
    if (reactions.length > 0) quiet = now + 1_000
    for (const reaction of reactions) {
      if ('data' in reaction) pieces.push(reaction.data)
      else if ('ack' in reaction) acknowledge(reaction.ack)
    }
  }
  const acknowledge = (block: number): void =>
    carry(() => {
      const [next, actions] = ack(sender, block, now)
      sender = next
      send(actions)
    })
  send(first)
  while (sender.phase === 'oack' || sender.phase === 'data') {
    flying.sort((a, b) => a.at - b.at)
    const next = flying.shift()
    now = Math.max(now, Math.min(next?.at ?? Infinity, sender.due, quiet))
    if (next !== undefined && next.at <= now) next.arrive()
    else if (next !== undefined) flying.push(next)
    if (now >= quiet && (receiver.phase === 'data' || receiver.phase === 'requested')) hear(waited(receiver))
    if (now >= quiet) quiet = now + 1_000
    if (now >= sender.due) {
      const [after, actions] = step(sender, { kind: 'timer' }, now)
      sender = after
      send(actions)
    }
  }
  return { received: Buffer.concat(pieces), sender }
}
