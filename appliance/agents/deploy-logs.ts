import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { DEPLOY_LOG_BYTES } from '../../contract/deploy-log.ts'
import { sentence } from '../hardware-error.ts'
import type { Log } from '../log.ts'
import { archiveName } from './log-uploads.ts'
import type { StepContext } from '../plans/step.ts'

/** When the logs of ramdisks are kept, as Ironic's `[agent] deploy_logs_collect`. */
export const whenKept = z.enum(['on_failure', 'always', 'never'])
export type WhenKept = z.infer<typeof whenKept>

/** What ramdisks logged, one archive for each operation; the oldest make room. */
export interface DeployLogs {
  when: WhenKept
  /** Asks the machine's agent, if it has one. Best effort: it never rejects, and takes half a minute at most. */
  keep(on: Omit<StepContext, 'signal' | 'deadline'>, stop: AbortSignal): Promise<void>
}

const PATIENCE_MS = 30_000
const answer = z.looseObject({ system_logs: z.base64().max(Math.floor((DEPLOY_LOG_BYTES * 4) / 3)) })

export function openDeployLogs({
  dir,
  when,
  most,
  uuid,
  kept,
  log,
}: {
  dir: string
  when: WhenKept
  most: number
  uuid: () => string
  /** Told of each that is kept. */
  kept: () => void
  log: Log
}): DeployLogs {
  return {
    when,
    async keep(on, stop) {
      const { node, kind } = on.plan
      if (!on.agents.isUp(node)) return
      const over = new AbortController()
      const signal = AbortSignal.any([stop, over.signal])
      void on.clock.sleep(PATIENCE_MS, signal).then(
        () => over.abort(new Error(`no answer within ${PATIENCE_MS / 1000} s`)),
        () => {},
      )
      const deadline = new Date(on.clock.now().getTime() + PATIENCE_MS)
      try {
        const reply = await on.agents.call({ ...on, signal, deadline }, 'log.collect_system_logs', {})
        const archive = Buffer.from(answer.parse(reply).system_logs, 'base64')
        const name = archiveName({ collected: on.clock.now(), node, operation: kind, id: uuid() })
        const file = await put(dir, name, archive)
        await prune(dir, most)
        kept()
        log.info({ node, kind, file }, "the ramdisk's logs are kept")
      } catch (error) {
        log.warn({ node, kind, error: sentence(error) }, "the ramdisk's logs could not be had")
      } finally {
        over.abort()
      }
    },
  }
}

/** Whole or not at all: the appliance may die meanwhile. */
async function put(dir: string, name: string, bytes: Buffer): Promise<string> {
  await mkdir(dir, { recursive: true, mode: 0o700 })
  const file = join(dir, name)
  await writeFile(`${file}.part`, bytes, { mode: 0o600 })
  await rename(`${file}.part`, file)
  return file
}

/** Names begin with the time. */
async function prune(dir: string, most: number): Promise<void> {
  const names = (await readdir(dir)).sort()
  for (const name of names.slice(0, Math.max(0, names.length - most))) await rm(join(dir, name), { force: true })
}
