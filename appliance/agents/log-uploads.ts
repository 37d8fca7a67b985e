import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync } from 'node:fs'
import { readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../clock.ts'
import { sentence } from '../hardware-error.ts'
import type { Outbox } from '../ledger/outbox.ts'
import type { Log } from '../log.ts'
import type { Deliveries } from '../uplink/deliveries.ts'

/** Brings the archives of a folder to the cloud, each once, also those that an earlier life of this appliance left. */
export interface LogUploads {
  /** There is a new one. */
  wake(): void
  stop(): Promise<void>
}

const AGAIN_MS = 600_000
/** Nobody asks for older ones, and one whose node is gone is never taken. */
const OLDEST_MS = 7 * 86_400_000
const SENT = '.sent.tar.gz'

interface Parts {
  dir: string
  outbox: Pick<Outbox, 'append'>
  deliveries: Pick<Deliveries, 'deliver'>
  clock: Clock
  log: Log
}

export interface ArchiveName {
  collected: Date
  node: string
  operation: string
  id: string
}

/** In order of time; what a file system may not have in names is replaced. */
export function archiveName({ collected, node, operation, id }: ArchiveName): string {
  return `${collected.toISOString().replaceAll(':', '-')}_${node}_${operation}_${id}.tar.gz`
}

const UNSENT = /^(\d{4}-\d\d-\d\dT\d\d)-(\d\d)-(\d\d\.\d{3}Z)_([0-9a-f-]{36})_([a-z_]{1,64})_([0-9a-f-]{36})\.tar\.gz$/

function readName(name: string): ArchiveName | undefined {
  const [, hour, minute, second, node, operation, id] = UNSENT.exec(name) ?? []
  if (!node || !operation || !id) return undefined
  return { collected: new Date(`${hour}:${minute}:${second}`), node, operation, id }
}

export function startLogUploads({ dir, outbox, deliveries, clock, log }: Parts): LogUploads {
  const goingDown = new AbortController()
  let woken = new AbortController()
  mkdirSync(dir, { recursive: true, mode: 0o700 })

  async function upload(name: string, { collected, node, operation, id }: ArchiveName): Promise<void> {
    const path = join(dir, name)
    const content = await readFile(path)
    const about = {
      kind: 'deploy_log' as const,
      node,
      log: id,
      operation,
      collected_at: collected.toISOString(),
      bytes: content.length,
      sha256: createHash('sha256').update(content).digest('hex'),
    }
    const announce = (): void => outbox.append({ ...about, phase: 'ready' })
    await deliveries.deliver({ id, what: "the ramdisk's logs", path }, announce, goingDown.signal)
    outbox.append({ ...about, phase: 'stored' })
    await rename(path, path.replace(/\.tar\.gz$/, SENT))
  }

  /** A folder that can't be read now may be again. */
  function archives(): string[] {
    try {
      return readdirSync(dir).sort()
    } catch (error) {
      log.warn({ dir, error: sentence(error) }, "the ramdisks' logs can't be read")
      return []
    }
  }

  async function uploadAll(): Promise<void> {
    const oldest = clock.now().getTime() - OLDEST_MS
    for (const name of archives()) {
      const of = readName(name)
      if (!of || of.collected.getTime() < oldest) continue
      try {
        await upload(name, of)
      } catch (error) {
        if (goingDown.signal.aborted) return
        log.warn({ node: of.node, file: name, error: sentence(error) }, "the ramdisk's logs stay on site")
      }
    }
  }

  const work = (async () => {
    while (!goingDown.signal.aborted) {
      woken = new AbortController()
      await uploadAll()
      const either = AbortSignal.any([woken.signal, goingDown.signal])
      await clock.sleep(AGAIN_MS, either).catch(() => {})
    }
  })()

  return {
    wake: () => woken.abort(new Error('there is a new archive')),
    async stop() {
      goingDown.abort(new Error('the appliance is going down'))
      await work
    },
  }
}
