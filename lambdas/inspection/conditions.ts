import { BlockList, isIP } from 'node:net'
import { runInNewContext } from 'node:vm'
import { pythonText } from './template.ts'
import { RuleError } from './rule-error.ts'

/** What conditions of inspection rules ask (reference §1.15): their arguments come formatted. */
export const conditions: Readonly<Record<string, (args: Readonly<Record<string, unknown>>) => boolean>> = {
  eq: (args) => inPairs(args, (order) => order === 0),
  lt: (args) => inPairs(args, (order) => order < 0),
  gt: (args) => inPairs(args, (order) => order > 0),
  'is-empty': ({ value }) => ['', 'None', '[]', '{}'].includes(pythonText(value)),
  'is-none': ({ value }) => pythonText(value) === 'None',
  'is-true': ({ value }) =>
    typeof value === 'string' ? ['yes', 'true'].includes(value.toLowerCase()) : Boolean(value),
  'is-false': ({ value }) => (typeof value === 'string' ? ['no', 'false'].includes(value.toLowerCase()) : !value),
  'one-of': ({ value, values }) => listed(values).some((each) => compare(value, each) === 0),
  'in-net': ({ address, subnet }) => isInNet(pythonText(address), pythonText(subnet)),
  matches: ({ value, regex }) => test(`^(?:${String(regex).replace(/\$?$/, '$')})`, value),
  contains: ({ value, regex }) => test(String(regex), value),
}

function listed(values: unknown): unknown[] {
  if (!Array.isArray(values)) throw new RuleError(`values is to be a list, not ${pythonText(values)}`)
  return values
}

function inPairs(
  { values, force_strings }: Readonly<Record<string, unknown>>,
  holds: (order: number) => boolean,
): boolean {
  const all = listed(values)
  const texts = force_strings === true ? all.map(pythonText) : all
  return texts.slice(1).every((each, at) => holds(compare(texts[at], each)))
}

/** Formatting makes texts of numbers, so that beside a number a text that looks like one counts as one. NaN: they can't be compared, and
 * are not equal. */
function compare(a: unknown, b: unknown): number {
  const [left, right] = [comparable(a, b), comparable(b, a)]
  if (typeof left === 'number' && typeof right === 'number') return left - right
  if (typeof left === 'string' && typeof right === 'string') return left < right ? -1 : left > right ? 1 : 0
  return JSON.stringify(left) === JSON.stringify(right) ? 0 : Number.NaN
}

function comparable(value: unknown, beside: unknown): unknown {
  const isNumber = typeof beside === 'number' && typeof value === 'string' && /^\s*-?\d+(\.\d+)?\s*$/.test(value)
  const isBoolean = typeof beside === 'boolean' && typeof value === 'string' && /^(True|False)$/.test(value)
  return isNumber ? Number(value) : isBoolean ? value === 'True' : value
}

function isInNet(address: string, subnet: string): boolean {
  const [base = '', given] = subnet.split('/')
  const family = isIP(base)
  const prefix = given === undefined ? (family === 4 ? 32 : 128) : Number(given)
  if (family === 0 || !Number.isInteger(prefix) || prefix < 0 || prefix > (family === 4 ? 32 : 128))
    throw new RuleError(`${subnet} is not a network`)
  if (isIP(address) === 0) throw new RuleError(`${address} is not an IP address`)
  const list = new BlockList()
  list.addSubnet(base, prefix, family === 4 ? 'ipv4' : 'ipv6')
  return isIP(address) === family && list.check(address, family === 4 ? 'ipv4' : 'ipv6')
}

const TEST_MS = 250
const LONGEST = 4096

/** Expressions are people's and may take for ever on a text that a machine made up: theirs is a little time. */
function test(source: string, value: unknown): boolean {
  const text = pythonText(value).slice(0, LONGEST)
  // Python names groups otherwise.
  const pattern = source.replaceAll('(?P<', '(?<')
  try {
    return runInNewContext('new RegExp(pattern, "u").test(text)', { pattern, text }, { timeout: TEST_MS }) as boolean
  } catch (error) {
    throw new RuleError(`regular expression ${source}: ${(error as Error).message}`)
  }
}
