import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EventStreamReader, type ServerSentEvent } from './event-stream.ts'

const read = (...pieces: string[]): ServerSentEvent[] => {
  const reader = new EventStreamReader()
  return pieces.flatMap((piece) => reader.push(Buffer.from(piece)))
}

describe('a stream of server-sent events', () => {
  it.each<[string, string, ServerSentEvent[]]>([
    ['one event', 'id: 1\ndata: {"a":1}\n\n', [{ id: '1', data: '{"a":1}' }]],
    ['several lines of data', 'data: one\ndata:two\ndata\n\n', [{ id: '', data: 'one\ntwo\n' }]],
    ['comments and unknown fields', ': keep alive\n\nevent: x\nfoo: bar\ndata: y\n\n', [{ id: '', data: 'y' }]],
    ['returns as line ends', 'id: 1\rdata: x\r\r', [{ id: '1', data: 'x' }]],
    [
      'an id that stays',
      'id: 5\n\ndata: a\n\ndata: b\n\n',
      [
        { id: '5', data: 'a' },
        { id: '5', data: 'b' },
      ],
    ],
    ['an event without its end', 'data: a\n', []],
    ['no data', 'id: 3\n\n', []],
  ])('%s', (_name, text, events) => expect(read(text)).toEqual(events))

  it('is the same however it is cut', () => {
    const text =
      ': hello\r\n\r\nid: 1\r\ndata: {"x":"ü€"}\r\n\r\nretry: 900\ndata: two\ndata: lines\n\nid: 2\rdata: z\r\r'
    const whole = read(text)
    expect(whole).toHaveLength(3)
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 30 }), { maxLength: 40 }), (sizes) => {
        const bytes = Buffer.from(text)
        const reader = new EventStreamReader()
        const events: ServerSentEvent[] = []
        let at = 0
        for (const size of [...sizes, bytes.length]) {
          events.push(...reader.push(bytes.subarray(at, at + size)))
          at += size
        }
        expect(events).toEqual(whole)
      }),
    )
  })

  it('says how long to wait, within reason', () => {
    const reader = new EventStreamReader()
    reader.push(Buffer.from('retry: 1500\n'))
    expect(reader.retryMs).toBe(1500)
    reader.push(Buffer.from('retry: 999999999\nretry: soon\n'))
    expect(reader.retryMs).toBe(600_000)
  })

  it('is not read on when an event has no end', () => {
    const reader = new EventStreamReader()
    const pour = (text: string) => () => {
      for (let left = 30; left > 0; left -= 1) reader.push(Buffer.from(text))
    }
    const drip = (): void => {
      for (let left = 16_385; left > 0; left -= 1) reader.push(Buffer.from('x'.repeat(64)))
    }
    expect(drip).toThrow(/more than 1048576 characters/)
    expect(pour('x'.repeat(65_536))).toThrow(/more than 1048576 characters/)
    expect(pour(`data: ${'x'.repeat(65_536)}\n`)).toThrow(RangeError)
  })
})
