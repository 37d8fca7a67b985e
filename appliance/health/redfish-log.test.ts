import { expect, it } from 'vitest'
import type { LogEntry } from '@bloomery/redfish/log.ts'
import { logNews } from './redfish-log.ts'

const entry = (id: number, more: Partial<LogEntry> = {}): LogEntry => ({
  id: String(id),
  at: `2026-11-23T10:00:${String(id % 60).padStart(2, '0')}Z`,
  severity: 'Critical',
  text: `entry ${id}`,
  ...more,
})
const texts = ({ entries }: ReturnType<typeof logNews>): string[] => entries.map(({ text }) => text)

it('the first look at a log only finds its end; then news is what was not there, whichever way round it is listed', () => {
  const first = logNews('Log', undefined, [entry(2), entry(1)])
  expect(texts(first)).toEqual([])
  const second = logNews('Log', first.mark, [entry(4), entry(3), entry(2), entry(1)])
  expect(texts(second)).toEqual(['entry 3', 'entry 4'])
  expect(texts(logNews('Log', second.mark, [entry(4), entry(3), entry(2), entry(1)]))).toEqual([])
})

it('an entry of a clock that began anew, or of none, is news all the same', () => {
  const { mark } = logNews('Log', undefined, [entry(1)])
  const news = logNews('Log', mark, [entry(1), entry(2, { at: '1970-01-01T00:01:00Z' }), entry(3, { at: undefined })])
  expect(news.entries.map(({ text, at }) => [text, at])).toEqual([
    ['entry 3', null],
    ['entry 2', '1970-01-01T00:01:00.000Z'],
  ])
})

it('a log that was emptied says so, also when it has begun anew under the same ids', () => {
  const { mark } = logNews('Log', undefined, [entry(1), entry(2)])
  expect(logNews('Log', mark, [])).toMatchObject({ entries: [], erased: true })
  const anew = logNews('Log', mark, [entry(1, { at: '2026-11-24T00:00:00Z', text: 'new' })])
  expect([texts(anew), anew.erased]).toEqual([['new'], true])
  expect(logNews('Log', logNews('Log', undefined, []).mark, [entry(1)])).toMatchObject({ erased: false, entries: [{}] })
})

it('of a long log, what is newer is news, and no more of it than can be told', () => {
  const at = (index: number) => new Date(Date.parse('2026-11-23T10:00:00Z') + index * 1000).toISOString()
  const long = Array.from({ length: 1000 }, (_, index) => entry(index, { at: at(index) }))
  const { mark } = logNews('Log', undefined, long.slice(0, 600))
  expect(mark.known.length).toBeLessThanOrEqual(256)
  expect(texts(logNews('Log', mark, long.slice(0, 603)))).toEqual(['entry 600', 'entry 601', 'entry 602'])
  expect(texts(logNews('Log', mark, long))).toHaveLength(64)
})

it('only what is critical makes the machine unwell', () => {
  const { mark } = logNews('Log', undefined, [])
  const levels = ['OK', 'Warning', 'Critical', 'Awful', undefined]
  const news = logNews(
    'Log',
    mark,
    levels.map((severity, id) => entry(id, { severity })),
  )
  expect(news.entries.map(({ level, blames }) => [level, blames])).toEqual([
    ['OK', undefined],
    ['Warning', undefined],
    ['Critical', 'log entry 2'],
    ['OK', undefined],
    ['OK', undefined],
  ])
})
