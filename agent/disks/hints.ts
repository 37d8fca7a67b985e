import { z } from 'zod'
import { CommandFailure } from '../failure.ts'
import { GiB, type Disk } from './disk.ts'

/** Root device hints: which disk is meant, by what it is. A value may begin with an operator; all hints must hold. */
const textual = [
  'model',
  'vendor',
  'serial',
  'wwn',
  'wwn_with_extension',
  'wwn_vendor_extension',
  'hctl',
  'by_path',
  'name',
  'volume_name',
] as const
type Textual = (typeof textual)[number]

const value = z.union([z.string().min(1).max(1024), z.number(), z.boolean()])
const hintsSchema = z.partialRecord(z.enum([...textual, 'size', 'rotational']), value)

export type Hint = (disk: Disk) => boolean

export function readHints(given: unknown): Hint[] {
  const parsed = hintsSchema.safeParse(given)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    throw refused(issue ? `${issue.path.join('.') || 'root_device'}: ${issue.message}` : 'not an object')
  }
  return Object.entries(parsed.data).map(([name, expression]) => {
    const text = String(expression).trim()
    if (name === 'size') return sizeHint(text)
    if (name === 'rotational') return rotationalHint(text)
    return textHint(name as Textual, text)
  })
}

type Test = (actual: string, wanted: string) => boolean

/** Longest first, for `s==` must not be read as `s`. A bare `=` is `>=` between numbers, as it always was. */
const numeric: [string, (actual: number, wanted: number) => boolean][] = [
  ['==', (actual, wanted) => actual === wanted],
  ['!=', (actual, wanted) => actual !== wanted],
  ['>=', (actual, wanted) => actual >= wanted],
  ['<=', (actual, wanted) => actual <= wanted],
  ['=', (actual, wanted) => actual >= wanted],
]
const ordered: [string, Test][] = [
  ['s==', (actual, wanted) => actual === wanted],
  ['s!=', (actual, wanted) => actual !== wanted],
  ['s>=', (actual, wanted) => actual >= wanted],
  ['s<=', (actual, wanted) => actual <= wanted],
  ['s>', (actual, wanted) => actual > wanted],
  ['s<', (actual, wanted) => actual < wanted],
]
const collective: [string, Test][] = [
  ['<in>', (actual, wanted) => actual.includes(wanted)],
  ['<all-in>', (actual, wanted) => words(wanted, '<all-in>').every((part) => actual.includes(part))],
  ['<or>', (actual, wanted) => parts(wanted, '<or>').includes(actual)],
]

function textHint(name: Textual, expression: string): Hint {
  const [test, wanted] = operator([...collective, ...ordered], expression) ?? [ordered[0]?.[1], expression]
  const plain = normal(unquoted(wanted, name))
  return (disk) => {
    const actual = disk[name]
    return actual !== undefined && test !== undefined && test(normal(actual), plain)
  }
}

function sizeHint(expression: string): Hint {
  const range = /^<range-in>\s*([[(])\s*([\d.]+)\s+([\d.]+)\s*([\])])$/.exec(expression)
  if (range) return rangeHint(range, expression)
  const text = operator(collective, expression)
  if (text) return (disk) => text[0](String(Math.floor(disk.size / GiB)), normal(text[1]))
  const [test, wanted] = operator(numeric, expression) ?? [numeric[0]?.[1], expression]
  const size = Number(wanted)
  if (!Number.isFinite(size) || size <= 0 || wanted === '') throw refused(`size: ${expression} is not a number of GiB`)
  return (disk) => test !== undefined && test(Math.floor(disk.size / GiB), size)
}

/** `<range-in> [ 100 200 )`: a square bracket is for a bound that is in it. */
function rangeHint([, open, from, to, close]: RegExpExecArray, expression: string): Hint {
  const [least, most] = [Number(from), Number(to)]
  if (!(least <= most)) throw refused(`size: ${expression} is no range of GiB`)
  return (disk) => {
    const size = Math.floor(disk.size / GiB)
    return (open === '[' ? size >= least : size > least) && (close === ']' ? size <= most : size < most)
  }
}

function rotationalHint(expression: string): Hint {
  const wanted = normal(expression.replace(/^s?==/, ''))
  if (['true', '1', 'yes', 'on', 't', 'y'].includes(wanted)) return (disk) => disk.rotational
  if (['false', '0', 'no', 'off', 'f', 'n'].includes(wanted)) return (disk) => !disk.rotational
  throw refused(`rotational: ${expression} is neither true nor false`)
}

function operator<T>(table: readonly [string, T][], expression: string): [T, string] | undefined {
  const row = table.find(([sign]) => expression.startsWith(sign))
  return row && [row[1], expression.slice(row[0].length).trim()]
}

/** `a <or> b`, the first sign of which has been read. */
function parts(text: string, sign: string): string[] {
  return text.split(sign).map((part) => part.trim())
}

/** `a <all-in> b`, or `a b`. */
function words(text: string, sign: string): string[] {
  return parts(text, sign).flatMap((part) => part.split(/\s+/))
}

function normal(text: string): string {
  return text.trim().toLowerCase()
}

/** Values are percent-encoded where a client cannot send the character itself. */
function unquoted(text: string, name: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    if (!/%[0-9a-f]{2}/i.test(text)) return text
    throw refused(`${name}: ${text} is not well percent-encoded`)
  }
}

function refused(why: string): CommandFailure {
  return new CommandFailure('InvalidRootDeviceHints', `root device hints cannot be used: ${why}`, { code: 400 })
}
