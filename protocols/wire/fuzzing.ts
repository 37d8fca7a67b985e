import { setImmediate } from 'node:timers/promises'
import { WireError } from './error.ts'

/** How many packets each protocol's fuzz test tries: FUZZ_PACKETS, or few enough for every day. */
export const FUZZ_PACKETS = Number(process.env['FUZZ_PACKETS'] ?? 100_000)
export const FUZZ_DEADLINE_MS = 60_000 + FUZZ_PACKETS
const MAX_CORPUS = 2_000
const MAX_LENGTH = 2_048

/** xorshift32: the same numbers in every run. */
export function randomFrom(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % below
  }
}

/**
 * Mutates packets and hands each over; `outcome` says in a word what became of it, and one whose word is new is mutated further: so
 * the packets find their way into the corners. A WireError is an outcome, any other error ends it. Returns how often each word fell.
 */
export function fuzz(
  seeds: readonly Uint8Array[],
  outcome: (bytes: Uint8Array, count: number) => string,
): Map<string, number> {
  return quietly(() => {
    const { next, learn, seen } = corpusOf(seeds)
    for (let count = 0; count < FUZZ_PACKETS; count += 1) {
      const bytes = next()
      learn(bytes, outcomeOf(outcome, bytes, count))
    }
    return told(seen, FUZZ_PACKETS)
  })
}

/** The same for inputs that take more time each; what `isRefusal` holds is an outcome. */
export async function fuzzAsync(
  seeds: readonly Uint8Array[],
  inputs: number,
  outcome: (bytes: Uint8Array, count: number) => Promise<string>,
  isRefusal: (error: unknown) => boolean = () => false,
): Promise<Map<string, number>> {
  const { next, learn, seen } = corpusOf(seeds)
  for (let count = 0; count < inputs; count += 1) {
    // What is held weakly is held until a turn of the event loop ends.
    if (count % 1000 === 999) await setImmediate()
    const bytes = next()
    try {
      learn(bytes, await outcome(bytes, count))
    } catch (error) {
      if (!isRefusal(error)) throw new Error(`input ${count}, ${Buffer.from(bytes).toString('hex')}`, { cause: error })
      learn(bytes, `refused: ${(error as Error).message}`)
    }
  }
  return told(seen, inputs)
}

/** How many inputs `fuzzAsync` is to try: FUZZ_PACKETS, or a few. */
export function fuzzInputs(few: number): number {
  return process.env['FUZZ_PACKETS'] === undefined ? few : FUZZ_PACKETS
}

function corpusOf(seeds: readonly Uint8Array[]) {
  const random = randomFrom(20_251)
  const corpus = seeds.map((seed) => Uint8Array.from(seed))
  const seen = new Map<string, number>()
  const pick = (): Uint8Array => corpus[random(corpus.length)] ?? new Uint8Array()
  return {
    seen,
    next: () => mutated(random(8) === 0 ? spliced(pick(), pick(), random) : pick(), random),
    learn(bytes: Uint8Array, outcome: string): void {
      const word = outcome.replaceAll(/[0-9a-f]{2}(:[0-9a-f]{2}){5}|\d+/g, '#')
      const times = seen.get(word) ?? 0
      if (times === 0 && corpus.length < MAX_CORPUS) corpus.push(bytes.slice())
      seen.set(word, times + 1)
    },
  }
}

function quietly<T>(work: () => T): T {
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0 // of most packets' WireErrors nobody reads it, and it takes longer than the packet
  try {
    return work()
  } finally {
    Error.stackTraceLimit = stackTraceLimit
  }
}

function told(seen: Map<string, number>, inputs: number): Map<string, number> {
  if (process.env['FUZZ_PACKETS'] !== undefined) report(seen, inputs)
  return seen
}

/** A piece of the one, or of itself again, within the other: longer packets, and options of another's. */
function spliced(seed: Uint8Array, other: Uint8Array, random: (below: number) => number): Uint8Array {
  const at = random(seed.length + 1)
  const from = random(other.length + 1)
  const piece = other.subarray(from, from + random(other.length - from + 1))
  return Buffer.concat([seed.subarray(0, at), piece, seed.subarray(at)]).subarray(0, MAX_LENGTH)
}

function mutated(seed: Uint8Array, random: (below: number) => number): Uint8Array {
  const bytes = random(4) === 0 ? seed.slice(0, random(seed.length + 1)) : seed.slice()
  for (let flips = random(6); flips > 0; flips -= 1) {
    const at = random(bytes.length + 1)
    const kind = random(4)
    if (kind === 0) bytes[at] = (bytes[at] ?? 0) ^ (1 << random(8))
    else if (kind === 1) bytes[at] = random(2) * 255
    else if (kind === 2) bytes.copyWithin(at, random(bytes.length + 1), at + random(32))
    else bytes[at] = random(256)
  }
  return bytes
}

function outcomeOf(outcome: (bytes: Uint8Array, count: number) => string, bytes: Uint8Array, count: number): string {
  try {
    return outcome(bytes, count)
  } catch (error) {
    if (error instanceof WireError) return `refused: ${error.message}`
    throw new Error(`packet ${count}, ${Buffer.from(bytes).toString('hex')}`, { cause: error })
  }
}

function report(seen: ReadonlyMap<string, number>, inputs: number): void {
  const lines = [...seen].sort((a, b) => b[1] - a[1]).map(([word, times]) => `${String(times).padStart(9)}  ${word}`)
  console.log(`${inputs} inputs, ${seen.size} outcomes\n${lines.slice(0, 60).join('\n')}`)
}
