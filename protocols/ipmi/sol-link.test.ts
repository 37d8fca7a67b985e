import { WireError } from '@bloomery/wire/error.ts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { SolLink } from './sol-link.ts'
import { decodeSolPacket, encodeSolPacket, NACK } from './sol-packet.ts'
import { virtualClock } from './testing/virtual-clock.ts'

function source(text: string): (most: number) => Uint8Array {
  let left = Buffer.from(text)
  return (most) => {
    const taken = left.subarray(0, most)
    left = left.subarray(most)
    return taken
  }
}

/** Two ends, and what happens to each packet between them. */
function pair(text: string, fate: () => 'arrives' | 'is lost' | 'comes twice', take: () => number) {
  const clock = virtualClock()
  let got = ''
  let lost = 0
  const common = { clock, payloadSize: 20, retryMs: 100, flags: () => 0, heard: () => {}, lost: () => (lost += 1) }
  const carry = (to: () => SolLink) => (bytes: Uint8Array) => {
    const times = { arrives: 1, 'is lost': 0, 'comes twice': 2 }[fate()]
    for (let n = 0; n < times; n += 1) clock.after(n * 30, () => to().receive(bytes))
  }
  const sender: SolLink = new SolLink({
    ...common,
    tries: 100,
    take: source(text),
    deliver: () => 0,
    send: carry(() => receiver),
  })
  const receiver: SolLink = new SolLink({
    ...common,
    tries: 100,
    take: () => new Uint8Array(0),
    deliver(data) {
      const some = Buffer.from(data).subarray(0, take())
      got += some.toString()
      return some.length
    },
    send: carry(() => sender),
  })
  const done = new Promise<void>((resolve) => {
    const look = (): void => {
      if (got.length >= text.length || lost > 0) resolve()
      else clock.after(50, look)
    }
    look()
  })
  sender.kick()
  return { clock, done, got: () => got, lost: () => lost }
}

test('characters arrive once and in order, whatever is lost, doubled or refused in between', async () => {
  const fates = fc.array(fc.constantFrom('arrives', 'arrives', 'is lost', 'comes twice'), {
    minLength: 8,
    maxLength: 60,
  })
  const rooms = fc.array(fc.integer({ min: 0, max: 20 }), { minLength: 1, maxLength: 20 })
  await fc.assert(
    fc.asyncProperty(fc.string({ minLength: 1, maxLength: 120 }), fates, rooms, async (text, fate, room) => {
      let at = 0
      const next = pair(
        text,
        // Behind what was drawn, all is well.
        () => fate[at++] ?? 'arrives',
        () => room.shift() ?? 255,
      )
      await next.clock.run(next.done)
      expect(next.got()).toBe(text)
    }),
    { numRuns: 60 },
  )
})

test('a packet that nobody acknowledges is given up, and the next one is sent', async () => {
  const clock = virtualClock()
  const sent: number[] = []
  let lost = 0
  const { promise: over, resolve } = Promise.withResolvers<void>()
  const link = new SolLink({
    clock,
    payloadSize: 8,
    tries: 3,
    retryMs: 100,
    take: source('abcdefgh'),
    deliver: () => 0,
    flags: () => 0,
    heard: () => {},
    lost: () => (lost += 1) === 2 && resolve(),
    send: (bytes) => void sent.push(decodeSolPacket(bytes).sequence),
  })
  link.kick()
  await clock.run(over)
  expect(sent).toEqual([1, 1, 1, 2, 2, 2])
  expect(clock.now()).toBe(600)
})

function receiver(room = 255): { link: SolLink; got: string[]; sent: string[] } {
  const [got, sent]: string[][] = [[], []]
  const link = new SolLink({
    clock: virtualClock(),
    payloadSize: 200,
    tries: 1,
    retryMs: 100,
    take: () => new Uint8Array(0),
    deliver: (data) => (got?.push(Buffer.from(data).subarray(0, room).toString()), Math.min(room, data.length)),
    flags: () => 0,
    heard: () => {},
    lost: () => {},
    send: (bytes) => void sent?.push(Buffer.from(bytes).toString('hex')),
  })
  return { link, got: got ?? [], sent: sent ?? [] }
}

function packet(sequence: number, text: string): Uint8Array {
  return encodeSolPacket({ sequence, acknowledged: 0, accepted: 0, flags: 0, data: Buffer.from(text) })
}

test('a packet that is repeated with more characters adds only those, and is acknowledged with all', () => {
  const { link, got, sent } = receiver()
  for (const bytes of [packet(1, 'ab'), packet(1, 'ab'), packet(1, 'abc')]) link.receive(bytes)
  expect(got).toEqual(['ab', 'c'])
  expect(sent).toEqual(['00010200', '00010200', '00010300'])
})

test('a packet that was overtaken is not taken for a new one', () => {
  const { link, got } = receiver()
  for (const bytes of [packet(14, 'a'), packet(15, 'b'), packet(1, 'c'), packet(15, 'b')]) link.receive(bytes)
  expect(got).toEqual(['a', 'b', 'c'])
})

test('what is not taken is said to be refused', () => {
  const { link, sent } = receiver(1)
  link.receive(packet(1, 'abc'))
  expect(sent).toEqual([`000101${NACK.toString(16)}`])
})

test('more characters than the specification can count are no SOL packet, nor is half a header', () => {
  expect(() => receiver().link.receive(packet(1, 'x'.repeat(256)))).toThrow(/256 characters in a SOL packet; 255/)
  expect(() => receiver().link.receive(Uint8Array.of(1, 0, 0))).toThrow()
})

test('whatever the other side says, a link throws nothing but WireErrors, and sends no more than one packet for each it hears', () => {
  const anything = fc.uint8Array({ maxLength: 300 })
  const likely = fc
    .record({
      sequence: fc.nat(15),
      acknowledged: fc.nat(15),
      accepted: fc.nat(255),
      flags: fc.nat(255),
      data: fc.uint8Array({ maxLength: 255 }),
    })
    .map(encodeSolPacket)
  fc.assert(
    fc.property(fc.array(fc.oneof(anything, likely), { maxLength: 50 }), (packets) => {
      const { link, sent } = receiver(100)
      for (const bytes of packets) {
        try {
          link.receive(bytes)
        } catch (error) {
          expect(error).toBeInstanceOf(WireError)
        }
      }
      expect(sent.length).toBeLessThanOrEqual(packets.length)
    }),
    { numRuns: 500 },
  )
})
