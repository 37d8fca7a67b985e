import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Log } from '../log.ts'
import type { VolumeConfig } from './config.ts'
import { startTargets } from './target.ts'
import type { VolumeOptions } from './volumes.ts'

/** Volumes as the appliance's configuration wants them, their iSCSI target running. */
export async function volumeOptions(
  { gib, dir, address, port, iqn }: VolumeConfig,
  dataDir: string,
  bootAddress: string,
  log: Log,
): Promise<VolumeOptions> {
  const host = address ?? bootAddress
  const portal = `${host.includes(':') ? `[${host}]` : host}:${port}`
  const socketDir = join(dataDir, 'iscsi')
  mkdirSync(socketDir, { recursive: true, mode: 0o700 })
  const targets = await startTargets({ dir: socketDir, portal, log })
  return { dir: dir ?? join(dataDir, 'volumes'), gib, portal, iqn, targets }
}
