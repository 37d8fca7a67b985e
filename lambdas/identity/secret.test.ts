import { expect, test } from 'vitest'
import { hashSecret, matchesSecret } from './secret.ts'

test('a secret matches its hash only, to its last character, however long', async () => {
  const long = 'x'.repeat(200)
  const stored = await hashSecret(`${long}a`)
  expect(stored).not.toContain(long)
  expect(await matchesSecret(`${long}a`, stored)).toBe(true)
  expect(await matchesSecret(`${long}b`, stored)).toBe(false)
})

test('where there is no secret, nothing matches', async () => {
  expect(await matchesSecret('', null)).toBe(false)
})
