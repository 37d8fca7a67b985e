import { expect, test } from 'vitest'
import { z } from 'zod'
import { boolean } from '../../contract/stored.ts'
import { argumentsFrom } from './arguments.ts'

const schema = z.strictObject({
  target: z.string(),
  timeout: z.int().optional(),
  on: boolean.optional(),
  steps: z.array(z.strictObject({ step: z.string() })).optional(),
})

test.each([
  [{}, 'Missing mandatory parameter: target'],
  [{ target: 7 }, 'Expected string for target: 7'],
  [{ target: 'a', timeout: 'x' }, 'Expected an integer for timeout: x'],
  [{ target: 'a', colour: 1, size: 2 }, 'Unexpected arguments: colour, size'],
  [
    { target: 'a', on: 'perhaps' },
    "Invalid on: Unrecognized value 'perhaps', acceptable values are: '0', '1', 'f', 'false', 'n', 'no', 'off', 'on', 't', 'true', 'y', 'yes'",
  ],
  [{ target: 'a', steps: 'all' }, "Expected types <class 'NoneType'>, <class 'list'> for steps: all"],
  [{ target: 'a', steps: [{}] }, "Invalid steps: 'step' is a required property (steps/0/step)"],
])('%j: %s', (given, said) => {
  expect(() => argumentsFrom(schema, given)).toThrow(said)
})

test('what fits is returned as the schema makes it', () => {
  expect(argumentsFrom(schema, { target: 'a', on: 'yes' })).toEqual({ target: 'a', on: true })
})
