import { createHash } from 'node:crypto'
import { parentPort, workerData } from 'node:worker_threads'
import { noise } from './noise.ts'

/** One of the threads that keep a processor or a piece of memory busy until the time is over, and compare what it computes. */

export interface BurnOrder {
  kind: 'cpu' | 'memory'
  /** Milliseconds since the epoch. */
  until: number
  /** Of memory: how much. */
  bytes: number
}

export type BurnOutcome = { rounds: number } | { because: string }

const { kind, until, bytes } = workerData as BurnOrder
const BLOCK = 16 * 1024 * 1024

/** Integers, floating point and memory within the caches: each round must come to what the first one did. */
function compute(): string {
  const hash = createHash('sha512')
  const size = 96
  const left = Float64Array.from({ length: size * size }, (_, index) => Math.sin(index + 1))
  const product = new Float64Array(size * size)
  for (let pass = 0; pass < 8; pass += 1)
    for (let row = 0; row < size; row += 1)
      for (let column = 0; column < size; column += 1) {
        let sum = 0
        for (let each = 0; each < size; each += 1) sum += left[row * size + each]! * left[each * size + column]!
        product[row * size + column] = sum / size + pass
      }
  hash.update(product)
  hash.update(noise(7)(1 << 20))
  return hash.digest('hex')
}

function burnProcessor(): BurnOutcome {
  const expected = compute()
  let rounds = 1
  while (Date.now() < until) {
    if (compute() !== expected) return { because: `round ${rounds + 1} of the same computation came to another result` }
    rounds += 1
  }
  return { rounds }
}

/** All blocks are written before any is read, so that caches hold none of them. */
function burnMemory(): BurnOutcome {
  const blocks = Array.from({ length: Math.max(1, Math.floor(bytes / BLOCK)) }, () => Buffer.alloc(BLOCK))
  let rounds = 0
  do {
    for (const [index, block] of blocks.entries()) noise(rounds * 65_536 + index)(BLOCK).copy(block)
    for (const [index, block] of blocks.entries()) {
      const right = noise(rounds * 65_536 + index)(BLOCK)
      if (!block.equals(right)) return { because: `round ${rounds + 1}: ${differing(block, right)}` }
    }
    rounds += 1
  } while (Date.now() < until)
  return { rounds }
}

function differing(block: Buffer, right: Buffer): string {
  const at = block.findIndex((byte, index) => byte !== right[index])
  return `memory held 0x${block[at]!.toString(16)} where 0x${right[at]!.toString(16)} was written`
}

parentPort!.postMessage(kind === 'cpu' ? burnProcessor() : burnMemory())
