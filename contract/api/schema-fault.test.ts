import { expect, test } from 'vitest'
import { z } from 'zod'
import { macAddress, uuid } from '../resources.ts'
import { boolean, logicalName } from '../stored.ts'
import { parseAs } from './schema-fault.ts'

const meant = z.strictObject({ uuid, address: macAddress, flag: boolean, name: logicalName }).partial()
const schema = z.strictObject({
  driver: z.string().max(5),
  extra: z.record(z.string(), z.unknown()).optional(),
  count: z.int().min(0).optional(),
  op: z.enum(['add', 'remove']).optional(),
  steps: z
    .array(z.strictObject({ step: z.string() }))
    .min(1)
    .optional(),
})

function refusal(value: unknown, of: z.ZodType = schema): string {
  try {
    parseAs('node', of, value)
  } catch (error) {
    return (error as Error).message
  }
  throw new Error('it was accepted')
}

test.each([
  [{}, "'driver' is a required property"],
  [undefined, "None is not of type 'object'"],
  [[], "[] is not of type 'object'"],
  [{ driver: 7 }, "7 is not of type 'string' (driver)"],
  [{ driver: null }, "None is not of type 'string' (driver)"],
  [{ driver: 'too long' }, "'too long' is too long (driver)"],
  [{ driver: 'a', extra: 'x' }, "'x' is not of type 'object' (extra)"],
  [{ driver: 'a', count: -1 }, '-1 is less than the minimum of 0 (count)'],
  [{ driver: 'a', op: 'Add' }, "'Add' is not one of ['add', 'remove'] (op)"],
  [{ driver: 'a', steps: [] }, '[] is too short (steps)'],
  [{ driver: 'a', steps: [{}] }, "'step' is a required property (steps/0/step)"],
  [{ driver: 'a', red: 1 }, "Additional properties are not allowed ('red' was unexpected)"],
  [{ driver: 'a', red: 1, blue: true }, "Additional properties are not allowed ('red', 'blue' were unexpected)"],
  [{ driver: ["it's", true, null, { a: 1 }] }, `["it's", True, None, {'a': 1}] is not of type 'string' (driver)`],
])('%j: %s', (value, said) => {
  expect(refusal(value)).toBe(`Schema error for node: ${said}`)
})

test.each([
  [{ uuid: 'x' }, 'Expected UUID for uuid: x'],
  [{ name: 'has space' }, "Cannot create node with invalid name 'has space'"],
  [{ address: 'x' }, 'Expected valid MAC address for address: x'],
  [{ flag: 'perhaps' }, "Invalid flag: Unrecognized value 'perhaps', acceptable values are: '0', '1', "],
  [{ uuid: 7, address: 'x' }, "Schema error for node: 7 is not of type 'string' (uuid)"],
])('%j: %s', (value, said) => {
  expect(refusal(value, meant)).toContain(said)
})

test('a value that is long is cut', () => {
  expect(refusal({ driver: 'x'.repeat(5000) }).length).toBeLessThan(300)
})

test('what fits is returned as the schema makes it', () => {
  expect(parseAs('node', schema, { driver: 'ipmi' })).toEqual({ driver: 'ipmi' })
})
