import { relieveKeeper } from '../conductor/keeper.ts'
import type { Appliance, Node } from '../../contract/resources.ts'
import { ConflictError, type Item, type Platform } from '../platform.ts'
import { applianceItem, APPLIANCES_DUE, appliancesOf, departedItem, isAlive, isDeparted } from '../store/appliances.ts'
import { nodeList } from '../store/nodes.ts'
import { items } from '../store/paging.ts'
import { dueItems } from './due.ts'

/** Somebody may join meanwhile, or come back. */
const AGAIN_SECONDS = 600

/** What an appliance looked after that was deleted, or has been silent for ten minutes, is looked after by the others of its site. It hears
 * of that when it is back. Where there are no others, as where a whole site is cut off, everything stays as it is. */
export async function relieveAppliances(platform: Platform): Promise<void> {
  for await (const item of dueItems(platform.table, APPLIANCES_DUE, platform.clock.now()))
    await (isDeparted(item) ? relieveDeparted(platform, item) : relieveSilent(platform, item))
}

async function relieveSilent(platform: Platform, item: Item): Promise<void> {
  const { clock, log } = platform
  const silent = item.value as Appliance
  const ofSite = await appliancesOf(platform.table, silent.site)
  const others = ofSite.filter((each) => each.uuid !== silent.uuid && isAlive(each, clock.now()))
  if (isAlive(silent, clock.now())) return
  if (others.length === 0) return noteDue(platform, item, again(platform))
  const { relieved } = await relieveNodes(platform, silent, ofSite)
  await noteDue(platform, item, null)
  log.warn(
    { site: silent.site, appliance: silent.name, nodes: relieved },
    'silent for long: others look after its nodes',
  )
}

/** It is remembered until none of its nodes is left: they may be at work, or nobody there to take them. */
async function relieveDeparted(platform: Platform, item: Item): Promise<void> {
  const { table, log } = platform
  const departed = item.value as Appliance
  const { relieved, left } = await relieveNodes(platform, departed, await appliancesOf(table, departed.site))
  if (relieved > 0)
    log.warn({ site: departed.site, appliance: departed.name, nodes: relieved }, 'deleted: others look after its nodes')
  const { pk, sk, version } = item
  const write = left > 0 ? { put: departedItem(departed, again(platform), version + 1) } : { delete: { pk, sk } }
  await unlessMeanwhile(table.write([{ ...write, expect: version }]))
}

async function relieveNodes(
  platform: Platform,
  former: Appliance,
  ofSite: Appliance[],
): Promise<{ relieved: number; left: number }> {
  const count = { relieved: 0, left: 0 }
  for await (const { value } of items(platform.table, nodeList({ conductor_group: former.site }))) {
    const node = value as Node
    if (node.keeper === former.uuid) count[(await relieveKeeper(platform, node, ofSite)) ? 'relieved' : 'left'] += 1
  }
  return count
}

const again = ({ clock }: Platform): Date => new Date(clock.now().getTime() + AGAIN_SECONDS * 1000)

async function noteDue({ table }: Platform, item: Item, due: Date | null): Promise<void> {
  const silent = item.value as Appliance
  await unlessMeanwhile(
    table.write([{ put: applianceItem({ ...silent, version: silent.version + 1 }, due), expect: item.version }]),
  )
}

/** It was heard of meanwhile, or somebody else is at it. */
async function unlessMeanwhile(written: Promise<unknown>): Promise<void> {
  try {
    await written
  } catch (error) {
    if (!(error instanceof ConflictError)) throw error
  }
}
