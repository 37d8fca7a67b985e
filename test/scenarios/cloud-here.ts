import { randomBytes, randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startCloud, type Cloud } from '../../standalone/cloud.ts'
import { configure } from '../../standalone/config.ts'

export interface CloudHere extends Cloud {
  dataDir: string
  /** Its log so far, JSON lines. */
  logged: string[]
  stopAndForget(): Promise<void>
}

/** The standalone edition in this process, on ports of the kernel's choosing, with more settings of `bloomery serve` if need be. */
export async function cloudHere(more: Record<string, unknown> = {}, now = () => new Date()): Promise<CloudHere> {
  const dataDir = mkdtempSync(join(tmpdir(), 'bloomery-cloud-'))
  const logged: string[] = []
  const write =
    (level: string) =>
    (facts: Record<string, unknown>, message: string): void =>
      void logged.push(JSON.stringify({ level, msg: message, ...facts }))
  const cloud = await startCloud(
    configure({ 'data-dir': dataDir, port: 0, 'broker-port': 0, ...more }),
    { now },
    { uuid: randomUUID, token: (bytes) => randomBytes(bytes).toString('base64url') },
    { info: write('info'), warn: write('warn'), error: write('error') },
  )
  let stopped: Promise<void> | undefined
  const stop = (): Promise<void> => (stopped ??= cloud.stop())
  const stopAndForget = async (): Promise<void> => {
    await stop()
    rmSync(dataDir, { recursive: true, force: true })
  }
  return { ...cloud, stop, dataDir, logged, stopAndForget }
}
