import type { z } from 'zod'
import { invalidName, unrecognizedBoolean } from '../stored.ts'
import { UserError } from './faults.ts'

/** What is wrong with a body, in the words that Ironic's clients and their users know from its validator, with the place added. */

const ISSUES = 5
const SHOWN = 200

export function parseAs<S extends z.ZodType>(noun: string, schema: S, value: unknown): z.output<S> {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  throw new UserError(400, said(noun, parsed.error, value))
}

/** Ironic looks at types first, and then at what a text means: that second check has words of its own. */
function said(noun: string, { issues }: z.ZodError, value: unknown): string {
  const ofTypes = issues.filter((issue) => !isOfMeaning(issue))
  if (ofTypes.length > 0) return `Schema error for ${noun}: ${sentences(ofTypes, value)}`
  const [{ message, path }] = issues as [z.core.$ZodIssue]
  if (/^(The word|A non-empty) /.test(message)) return message
  const given = valueAt(value, path)
  const name = String(path.at(-1) ?? noun)
  if (message === invalidName)
    return `Cannot ${noun === 'patch' ? 'change name to' : `create ${noun} with`} invalid name ${shown(given)}`
  return message === unrecognizedBoolean
    ? `Invalid ${name}: ${message.replace(',', ` ${shown(given)},`)}`
    : `${message} for ${name}: ${String(given).slice(0, SHOWN)}`
}

const isOfMeaning = ({ code, message }: z.core.$ZodIssue): boolean =>
  code !== 'invalid_type' &&
  (message === unrecognizedBoolean || message === invalidName || /^(Expected|The word|A non-empty) /.test(message))

/** The outermost first: what is missing in a thing says more than what is odd inside of it. */
export function sentences(issues: readonly z.core.$ZodIssue[], value: unknown): string {
  const told = issues
    .toSorted((a, b) => a.path.length - b.path.length)
    .slice(0, ISSUES)
    .map((issue) => sentence(issue, valueAt(value, issue.path)))
  return [...new Set(told)].join('; ')
}

function sentence(issue: z.core.$ZodIssue, given: unknown): string {
  const at = issue.path.length === 0 ? '' : ` (${issue.path.join('/')})`
  if (issue.code === 'unrecognized_keys') return `${unexpected(issue.keys)}${at}`
  const name = issue.path.at(-1)
  const isMissing = given === undefined && typeof name === 'string'
  if (isMissing && (issue.code === 'invalid_type' || issue.code === 'invalid_union' || issue.code === 'invalid_value'))
    return `${shown(name)} is a required property${issue.path.length > 1 ? at : ''}`
  return `${complaint(issue, given)}${at}`
}

function complaint(issue: z.core.$ZodIssue, given: unknown): string {
  switch (issue.code) {
    case 'invalid_type':
      return `${shown(given)} is not of type '${types[issue.expected] ?? issue.expected}'`
    case 'invalid_value':
      return `${shown(given)} is not one of ${shown(issue.values)}`
    case 'too_big':
      return issue.origin === 'number' || issue.origin === 'int'
        ? `${shown(given)} is greater than the maximum of ${issue.maximum}`
        : `${shown(given)} is too long`
    case 'too_small':
      return issue.origin === 'number' || issue.origin === 'int'
        ? `${shown(given)} is less than the minimum of ${issue.minimum}`
        : `${shown(given)} is too short`
    default:
      return `${shown(given)}: ${issue.message}`
  }
}

const types: Readonly<Record<string, string>> = { record: 'object', int: 'integer', nonoptional: 'object' }

function unexpected(keys: readonly string[]): string {
  const verb = keys.length === 1 ? 'was' : 'were'
  return `Additional properties are not allowed (${keys.map(shown).join(', ')} ${verb} unexpected)`
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (at, key) =>
      typeof at === 'object' && at !== null && Object.hasOwn(at, key)
        ? (at as Record<PropertyKey, unknown>)[key]
        : undefined,
    value,
  )
}

/** As Python prints it, cut where it is long. */
export function shown(value: unknown): string {
  const text = pythonText(value)
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text
}

function pythonText(value: unknown): string {
  if (value === null || value === undefined) return 'None'
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  if (typeof value === 'string')
    return value.includes("'") && !value.includes('"') ? `"${value}"` : `'${value.replaceAll("'", "\\'")}'`
  if (Array.isArray(value)) return `[${value.slice(0, SHOWN).map(pythonText).join(', ')}]`
  if (typeof value !== 'object') return JSON.stringify(value)
  const entries = Object.entries(value).slice(0, SHOWN)
  return `{${entries.map(([key, each]) => `${pythonText(key)}: ${pythonText(each)}`).join(', ')}}`
}
