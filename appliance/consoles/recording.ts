import { appendFileSync, chmodSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { type Recorded, recorded } from '../../contract/console.ts'

/** Of one node: two files, the older of which goes when the newer is full. */
export interface RecordingLimits {
  fileBytes: number
  siteBytes: number
}

export const recordingLimits: RecordingLimits = { fileBytes: 1024 * 1024, siteBytes: 512 * 1024 * 1024 }

/** What consoles printed, on disk: for each node lines of JSON, oldest first. It may hold what people typed and the machine echoed, so
 * that only the appliance's own user may read it. */
export interface Recordings {
  append(node: string, entries: readonly Recorded[]): void
  /** As it stands, oldest first; '': nothing was ever recorded. */
  read(node: string): string
  forget(node: string): void
}

const [NEWER, OLDER] = ['.log', '.1.log']

export function openRecordings(dir: string, limits = recordingLimits): Recordings {
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  chmodSync(dir, 0o700)
  const newer = (node: string): string => join(dir, node + NEWER)
  const older = (node: string): string => join(dir, node + OLDER)
  const sizes = new Map<string, number>()
  /** Whose end this life has looked at: what it appended itself is whole. */
  const looked = new Set<string>()
  let whole = 0
  for (const name of readdirSync(dir)) {
    const size = sizeOf(join(dir, name))
    sizes.set(join(dir, name), size)
    whole += size
  }
  const drop = (path: string): void => {
    rmSync(path, { force: true })
    whole -= sizes.get(path) ?? 0
    sizes.delete(path)
  }

  /** A full file becomes the older one; of the whole site's, those go that nothing was added to for longest. */
  const rotate = (node: string): void => {
    drop(older(node))
    renameSync(newer(node), older(node))
    sizes.set(older(node), sizes.get(newer(node)) ?? 0)
    sizes.delete(newer(node))
  }
  const makeRoom = (keep: string): void => {
    if (whole <= limits.siteBytes) return
    const oldest = [...sizes.keys()].filter((path) => path !== keep).toSorted((a, b) => changed(a) - changed(b))
    for (const path of oldest) {
      if (whole <= limits.siteBytes) return
      drop(path)
    }
  }

  return {
    append(node, entries) {
      const path = newer(node)
      const text = entries.map((entry) => `${JSON.stringify(entry)}\n`).join('')
      const size = sizes.get(path) ?? 0
      if (size > 0 && size + Buffer.byteLength(text) > limits.fileBytes) rotate(node)
      // A line that a power cut left half is no beginning of ours.
      const torn = !looked.has(path) && isTorn(path) ? '\n' : ''
      looked.add(path)
      appendFileSync(path, torn + text, { mode: 0o600 })
      const added = Buffer.byteLength(torn + text)
      sizes.set(path, (sizes.get(path) ?? 0) + added)
      whole += added
      makeRoom(path)
    },
    read: (node) => [older(node), newer(node)].map(readWhole).join(''),
    forget(node) {
      drop(older(node))
      drop(newer(node))
      looked.delete(newer(node))
    },
  }
}

function isTorn(path: string): boolean {
  const text = contentOf(path)
  return text !== '' && !text.endsWith('\n')
}

/** Only lines that are whole. */
function readWhole(path: string): string {
  return contentOf(path)
    .split('\n')
    .filter((line) => isRecorded(line))
    .map((line) => `${line}\n`)
    .join('')
}

function isRecorded(line: string): boolean {
  try {
    return recorded.safeParse(JSON.parse(line)).success
  } catch {
    return false
  }
}

function contentOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return ''
    throw error
  }
}

const sizeOf = (path: string): number => statSync(path).size
const changed = (path: string): number => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0
