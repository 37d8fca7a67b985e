import fc from 'fast-check'
import { readdirSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { downlink } from '../../contract/messages.ts'
import { forgets } from '../testing/plans.ts'
import { readDownlink } from './read-downlink.ts'

const node = '1be26c0b-03f2-4d2e-ae87-c02d7f33c123'
const fine = forgets(2, node, 2)
const commands = (...of: unknown[]): string =>
  JSON.stringify({ v: 1, kind: 'commands', commands: of, urls: {}, stored_from: 1 })

it('reads every golden message as the schema does', () => {
  const folder = new URL('../../contract/golden/v1/', import.meta.url)
  for (const file of readdirSync(folder).filter((name) => name.startsWith('downlink-'))) {
    const text = readFileSync(new URL(file, folder), 'utf8')
    expect(readDownlink(text)).toEqual({ message: downlink.parse(JSON.parse(text)), unread: [] })
  }
})

it('tells what it can’t read of a message from what it can', () => {
  const strange = { ...fine, seq: 1, kind: 'turn' }
  expect(readDownlink(commands(strange, fine))).toMatchObject({
    message: { commands: [fine] },
    unread: [{ seq: 1, about: { node, generation: 2, kind: 'turn' }, why: 'does not know the command "turn"' }],
  })
  expect(readDownlink(commands({ seq: 7 }))).toMatchObject({ message: { commands: [] }, unread: [{ seq: 7 }] })
  expect(readDownlink(commands({ ...fine, kind: 'cancel' }))).toMatchObject({
    unread: [
      { about: { kind: 'cancel' }, why: expect.stringMatching(/^can't read the command "cancel": lane: /) as string },
    ],
  })
})

it.each(['', '{', 'null', '[]', '{"v":2}', commands(), commands({ kind: 'forget' }), commands('x')])(
  'says why %s is no message',
  (text) => expect(typeof readDownlink(text)).toBe('string'),
)

it('bears whatever comes', () => {
  fc.assert(
    fc.property(fc.json(), fc.jsonValue(), (text, value) => {
      readDownlink(text)
      const read = readDownlink(commands({ seq: 1, kind: 'run', plan: value, node, generation: 1 }))
      expect(read).toMatchObject({ unread: [{ seq: 1 }] })
      if (typeof read !== 'string') expect(read.unread[0]!.why.length).toBeLessThanOrEqual(800)
    }),
  )
})
