import type { z } from 'zod'
import { sentences, shown } from '../../contract/api/schema-fault.ts'
import { UserError } from '../../contract/api/faults.ts'
import { unrecognizedBoolean } from '../../contract/stored.ts'
import { readJson } from './body.ts'
import type { Call } from './context.ts'

/** The arguments of a verb: keys of the body and, as Ironic takes them too, of the query. Refusals in the words of its argument checker. */
export async function argumentsOf<S extends z.ZodObject>(call: Call, schema: S, limit?: number): Promise<z.output<S>> {
  const body = await readJson(call, limit)
  if (body !== undefined && (typeof body !== 'object' || body === null || Array.isArray(body)))
    throw new UserError(400, `${shown(body)} is not of type 'object'`)
  const query = Object.entries(call.req.query()).filter(([name]) => Object.hasOwn(schema.shape, name))
  return argumentsFrom(schema, { ...Object.fromEntries(query), ...body })
}

export function argumentsFrom<S extends z.ZodType>(schema: S, given: Record<string, unknown>): z.output<S> {
  const parsed = schema.safeParse(given)
  if (parsed.success) return parsed.data
  throw new UserError(400, complaint(parsed.error.issues[0]!, given))
}

const kinds: Readonly<Record<string, string>> = {
  string: 'string',
  number: 'an integer',
  int: 'an integer',
  array: "types <class 'NoneType'>, <class 'list'>",
}

function complaint(issue: z.core.$ZodIssue, given: Record<string, unknown>): string {
  const [name, ...below] = issue.path.map(String)
  if (name === undefined)
    return issue.code === 'unrecognized_keys' ? `Unexpected arguments: ${issue.keys.join(', ')}` : issue.message
  const value = given[name]
  if (value === undefined) return `Missing mandatory parameter: ${name}`
  if (below.length > 0 || issue.code === 'unrecognized_keys') return `Invalid ${name}: ${sentences([issue], given)}`
  const kind = issue.code === 'invalid_type' ? kinds[issue.expected] : undefined
  if (kind !== undefined) return `Expected ${kind} for ${name}: ${plain(value)}`
  return issue.message === unrecognizedBoolean
    ? `Invalid ${name}: ${issue.message.replace(',', ` ${shown(value)},`)}`
    : `Invalid ${name}: ${plain(value)}: ${issue.message}`
}

const plain = (value: unknown): string => (typeof value === 'string' ? value.slice(0, 255) : shown(value))
