import type { Uplink } from '../../contract/messages.ts'
import type { Appliance } from '../../contract/resources.ts'
import type { Platform } from '../platform.ts'
import { addChunk, addLogPart, logOf } from '../store/consoles.ts'
import { getNode } from '../store/nodes.ts'

type Shown = Extract<Uplink, { kind: 'console' }>
type Part = Extract<Uplink, { kind: 'console_log' }>

/** What a console shows; only of nodes of the sender's own site. */
export async function addShown(platform: Platform, appliance: Appliance, { node, chunk }: Shown): Promise<void> {
  if (await isOwn(platform, appliance, node)) await addChunk(platform, node, chunk)
}

/** A part of a recording, if it is the one that was asked for last. */
export async function addRecorded(platform: Platform, appliance: Appliance, message: Part): Promise<void> {
  const { node, request, part, parts, text } = message
  if (!(await isOwn(platform, appliance, node)) || part >= parts) return
  if ((await logOf(platform.table, node))?.request !== request) return
  await addLogPart(platform, node, part, { request, parts, text })
}

async function isOwn({ table }: Platform, { site }: Appliance, node: string): Promise<boolean> {
  return (await getNode(table, node))?.conductor_group === site
}
