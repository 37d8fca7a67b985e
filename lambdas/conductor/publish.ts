import { createHash } from 'node:crypto'
import { type Command, type Downlink, MESSAGE_LIMIT } from '../../contract/messages.ts'
import { byteSource, type ByteSource } from '../../contract/plan-sources.ts'
import type { Plan } from '../../contract/plan.ts'
import { topics } from '../../contract/topics.ts'
import type { Platform } from '../platform.ts'
import { ConflictError } from '../platform.ts'
import { commandItem, commandKey, storedFrom, type StoredCommand } from '../store/commands.ts'

/** Commands on their way down. What they point to travels as URLs that are signed when the message is made and never stored. */

type Needs = Pick<Platform, 'table' | 'blobs' | 'bus' | 'clock'>

export const URL_SECONDS = 6 * 3600
/** A signed URL with its session token takes up to about 2 KiB of the message, and a deploy has three. */
const PLAN_LIMIT = 40 * 1024
export const RETRY_SECONDS = 30

/** Where a plan is that travels by reference. */
export const planBlob = (node: string, plan: string): string => `plans/${node}/${plan}`

/** The plan itself, or where to fetch it when it would not fit into a message. */
export async function packPlan(
  blobs: Platform['blobs'],
  plan: Plan,
): Promise<Extract<Command, { kind: 'run' }>['plan']> {
  const bytes = Buffer.from(JSON.stringify(plan))
  if (bytes.length <= PLAN_LIMIT) return plan
  const key = planBlob(plan.node, plan.id)
  await blobs.put(key, bytes)
  return {
    source: { kind: 'blob', key },
    size: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
  }
}

/** In order, in as few messages as they fit into. A command that is acknowledged meanwhile is sent once too often, which is harmless. */
export async function publish(platform: Needs, appliance: string, stored: StoredCommand[]): Promise<void> {
  let batch: Command[] = []
  let urls: Record<string, string> = {}
  let size = 0
  const stored_from = await storedFrom(platform.table, appliance)
  const flush = async (): Promise<void> => {
    if (batch.length === 0) return
    await send(platform, appliance, { v: 1, kind: 'commands', commands: batch, urls, stored_from })
    batch = []
    urls = {}
    size = 0
  }
  for (const { command } of stored) {
    const signed = await signAll(platform.blobs, command)
    const weight = Buffer.byteLength(JSON.stringify([command, signed]))
    if (size + weight > MESSAGE_LIMIT - 256 || batch.length === 100) await flush()
    batch.push(command)
    Object.assign(urls, signed)
    size += weight
  }
  await flush()
  await Promise.all(stored.map((each) => markPublished(platform, appliance, each)))
}

export function send(platform: Pick<Needs, 'bus'>, appliance: string, message: Downlink): Promise<void> {
  return platform.bus.publish(topics.down(appliance), JSON.stringify(message))
}

/** Notes when to publish again unless the appliance has acknowledged by then. */
async function markPublished(platform: Needs, appliance: string, { command }: StoredCommand): Promise<void> {
  const item = await platform.table.get(commandKey(appliance, command.seq))
  if (!item) return
  const now = platform.clock.now()
  const again = new Date(now.getTime() + RETRY_SECONDS * 1000).toISOString()
  const value: StoredCommand = { command, published_at: now.toISOString() }
  try {
    await platform.table.write([{ put: commandItem(appliance, value, item.version + 1, again), expect: item.version }])
  } catch (error) {
    if (!(error instanceof ConflictError)) throw error // acknowledged, or published by somebody else too
  }
}

async function signAll(blobs: Platform['blobs'], command: Command): Promise<Record<string, string>> {
  const urls: Record<string, string> = {}
  for (const source of await sourcesOf(blobs, command)) {
    if (source.kind === 'blob') urls[source.key] = await blobs.signGet(source.key, URL_SECONDS)
  }
  return urls
}

/** What a command points to; of a plan that travels by reference, what the plan points to as well. */
async function sourcesOf(blobs: Platform['blobs'], command: Command): Promise<ByteSource[]> {
  if (command.kind === 'volume')
    return command.wanted?.source?.kind === 'image' ? [command.wanted.source.image.source] : []
  if (command.kind !== 'run') return []
  if (!('source' in command.plan)) return sourcesIn(command.plan)
  const { source } = command.plan
  const bytes = source.kind === 'blob' ? await blobs.get(source.key) : undefined
  return bytes ? [source, ...sourcesIn(JSON.parse(Buffer.from(bytes).toString()) as Plan)] : [source]
}

function sourcesIn({ steps }: Plan): ByteSource[] {
  const named = steps.flatMap(({ args }) => [args['image'], args['config_drive']])
  const sources = named.flatMap((argument) => (argument as { source?: unknown } | null | undefined)?.source ?? [])
  return sources.flatMap((source) => byteSource.safeParse(source).data ?? [])
}
