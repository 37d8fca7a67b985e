import { InvalidArgumentError } from 'commander'
import { readFileSync } from 'node:fs'
import { isSecretKey } from '../contract/seal.ts'
import { UsageError } from './usage.ts'

/** Values of repeated KEY=VALUE flags: commander calls it once for each. `@FILE` stands for a file's content, `@-` for standard input. */
export function collect(pair: string, before: Record<string, string> = {}): Record<string, string> {
  const at = pair.indexOf('=')
  if (at < 1) throw new UsageError(`${pair} is not of the form KEY=VALUE`)
  const [key, value] = [pair.slice(0, at), pair.slice(at + 1)]
  if (isSecretKey(key) && !value.startsWith('@'))
    throw new UsageError(
      `${key} would show in the list of processes: write ${key}=@FILE, or ${key}=@- for standard input`,
    )
  return { ...before, [key]: value.startsWith('@') ? readText(value.slice(1)).replace(/\r?\n$/, '') : value }
}

/** JSON where it is JSON (numbers, objects, true), else the text itself: as properties are stored. */
export function typed(values: Record<string, string> = {}): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).map(([key, text]) => [key, parsed(text)]))
}

export function readText(path: string): string {
  try {
    return readFileSync(path === '-' ? 0 : path, 'utf8')
  } catch (cause) {
    throw new UsageError(`cannot read ${path === '-' ? 'standard input' : path}`, { cause })
  }
}

export function seconds(text: string): number {
  const value = Number(text)
  if (!Number.isFinite(value) || value <= 0) throw new UsageError(`${text} is not a number of seconds`)
  return value
}

/** Of a flag that counts: from 1 to `most`. */
export function whole(most: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (!Number.isInteger(value) || value < 1 || value > most)
      throw new InvalidArgumentError(`A whole number from 1 to ${most} is wanted.`)
    return value
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return text
  }
}
