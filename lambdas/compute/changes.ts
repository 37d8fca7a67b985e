import type { Volume } from '../../contract/block-storage.ts'
import type { Server } from '../../contract/compute.ts'
import type { Node } from '../../contract/resources.ts'
import type { Change, Platform } from '../platform.ts'
import { isNewsToServer } from './node-facts.ts'
import { reconcile } from './reconcile.ts'

/** Servers that have something to do, by changes of their own and of their nodes. */
export async function serversChanged(platform: Platform, changes: readonly Change[]): Promise<void> {
  const concerned = new Set(changes.flatMap(serversOf))
  await Promise.all([...concerned].map((uuid) => reconcile(platform, uuid)))
}

function serversOf({ key, before, after }: Change): string[] {
  if (key.sk === 'server') {
    const [was, is] = [before?.value as Server | undefined, after?.value as Server | undefined]
    return is && (is.task !== null || (was?.task ?? null) !== null) ? [is.uuid] : []
  }
  if (key.sk === 'volume') return [before, after].flatMap((item) => waitingFor(item?.value as Volume | undefined))
  if (key.sk !== 'node') return []
  const [was, is] = [before?.value as Node | undefined, after?.value as Node | undefined]
  if (!isNewsToServer(was, is)) return []
  return [was?.instance_uuid, is?.instance_uuid].filter((uuid) => uuid !== null && uuid !== undefined)
}

function waitingFor(volume: Volume | undefined): string[] {
  const servers = [volume?.for_server, ...(volume?.attachments.map(({ server }) => server) ?? [])]
  return servers.filter((uuid) => uuid !== null && uuid !== undefined)
}
