import { MOST_DEPTH, readPatch } from '../../../contract/images/patch.ts'
import { HardwareError } from '../../hardware-error.ts'
import { openFairQueue } from './fair-queue.ts'
import { unlessAborted, type Want } from './objects.ts'
import { wholeOf } from './unpatch.ts'

/** Chunks that come as patches are put together here, once for however many want them. Bases are brought first, by turns of their own, so that nobody
 * who has a turn waits for one; there are as many at once as memory has room for. */
export interface Patched {
  /** Rejects with HardwareError. `bring`: a chunk's stored bytes, or a patch of it. */
  whole(sha256: string, want: Want, bring: (sha256: string) => Promise<Buffer>): Promise<Buffer>
}

const AT_ONCE = 4
const WRONG = 3

export function openPatched(put: (sha256: string, bytes: Buffer) => Promise<unknown>): Patched {
  const underWay = new Map<string, Promise<Buffer>>()
  const queue = openFairQueue(() => AT_ONCE)

  async function made(
    sha256: string,
    want: Want,
    bring: (sha256: string) => Promise<Buffer>,
    first: Buffer,
    depth: number,
  ): Promise<Buffer> {
    for (let bytes = first, wrong = 1; ; bytes = await bring(sha256), wrong += 1) {
      want.signal.throwIfAborted()
      const patch = readPatch(bytes)
      if (!patch) return bytes
      const what = `chunk ${sha256.slice(0, 12)}`
      if (depth === MOST_DEPTH) throw new HardwareError(`${what} is a patch upon too many others; push the image again`)
      const bases: Buffer[] = []
      // Below the first, nobody is waited for who may wait for us.
      for (const base of patch.bases) bases.push(await made(base, want, bring, await bring(base), depth + 1))
      const whole = await queue.run(want.lane, {
        urgent: want.urgent,
        work: () => wholeOf(sha256, patch, bases),
      })
      if (whole) {
        await put(sha256, whole)
        return whole
      }
      if (wrong === WRONG)
        throw new HardwareError(
          `${what} is not what was ordered: its store gives a patch of something else; push the image again`,
        )
      want.trouble(`${what} came as a patch of something else`)
    }
  }

  async function whole(sha256: string, want: Want, bring: (sha256: string) => Promise<Buffer>): Promise<Buffer> {
    for (;;) {
      const bytes = underWay.has(sha256) ? undefined : await bring(sha256)
      if (bytes && !readPatch(bytes)) return bytes
      const others = underWay.get(sha256)
      if (bytes && !others) {
        const work = made(sha256, want, bring, bytes, 0).finally(() => underWay.delete(sha256))
        underWay.set(sha256, work)
        return work
      }
      // Theirs may end because they leave.
      const theirs = await unlessAborted(
        want.signal,
        others!.catch(() => undefined),
      )
      if (theirs) return theirs
    }
  }

  return { whole }
}
