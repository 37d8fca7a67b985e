import { z } from 'zod'

const count = z.coerce.number().int().nonnegative()
const linkCounters = z.object({ forwarded: count, bytes: count, lost: count, cut: count, overflowed: count })

/** Frames of both ways together; bytes are those forwarded. */
export type LinkCounters = z.infer<typeof linkCounters>

/** Reads the link program's answer to `stats`: name and number in turns. */
export function parseCounters(line: string): LinkCounters {
  const words = line.split(' ')
  const pairs = words.flatMap((word, at) => (at % 2 === 0 ? [[word, words[at + 1]]] : []))
  return linkCounters.parse(Object.fromEntries(pairs))
}
