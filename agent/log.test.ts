import { expect, it } from 'vitest'
import { createLog, reason, withoutSecrets } from './log.ts'

it('writes a JSON line per event, keeps it for collection, and debug only when asked', () => {
  const lines: string[] = []
  const log = createLog(
    (line) => void lines.push(line),
    () => 0,
  )
  log.debug('detail')
  log.info('looked up', { node: 'n' })
  expect(lines).toEqual(['{"time":"1970-01-01T00:00:00.000Z","level":"info","event":"looked up","node":"n"}\n'])
  expect(log.recent()).toBe(lines[0])
})

it('keeps the latest lines only', () => {
  const log = createLog(
    () => undefined,
    () => 0,
  )
  for (let count = 0; count < 6000; count++) log.info(`event ${count}`)
  const kept = log.recent().trim().split('\n')
  expect(kept).toHaveLength(5000)
  expect(kept.at(-1)).toContain('event 5999')
})

it('shows of a URL neither its query nor its credentials', () => {
  expect(withoutSecrets('https://user:pw@192.0.2.1:8443/image?X-Amz-Signature=hush#x')).toBe(
    'https://192.0.2.1:8443/image',
  )
  expect(withoutSecrets('nonsense')).toBe('an invalid URL')
})

it('tells causes after what they caused', () => {
  expect(reason(new Error('a failed', { cause: new Error('b', { cause: 'c' }) }))).toBe('a failed: b: c')
})
