import { relieveKeeper } from '../conductor/keeper.ts'
import type { Appliance, Node } from '../../contract/resources.ts'
import { ConflictError, type Item, type Platform } from '../platform.ts'
import { applianceItem, APPLIANCES_DUE, appliancesOf, isAlive } from '../store/appliances.ts'
import { nodeList } from '../store/nodes.ts'
import { items } from '../store/paging.ts'
import { dueItems } from './due.ts'

/** Somebody may join meanwhile, or come back. */
const AGAIN_SECONDS = 600

/** What an appliance looked after that has been silent for ten minutes is looked after by the others of its site. It hears of that when it
 * is back. Where there are no others, as where a whole site is cut off, everything stays as it is. */
export async function relieveAppliances(platform: Platform): Promise<void> {
  for await (const item of dueItems(platform.table, APPLIANCES_DUE, platform.clock.now())) await relieve(platform, item)
}

async function relieve(platform: Platform, item: Item): Promise<void> {
  const { clock, log } = platform
  const silent = item.value as Appliance
  const ofSite = await appliancesOf(platform.table, silent.site)
  const others = ofSite.filter((each) => each.uuid !== silent.uuid && isAlive(each, clock.now()))
  if (isAlive(silent, clock.now())) return
  if (others.length === 0) return noteDue(platform, item, new Date(clock.now().getTime() + AGAIN_SECONDS * 1000))
  const count = await relieveNodes(platform, silent, ofSite)
  await noteDue(platform, item, null)
  log.warn({ site: silent.site, appliance: silent.name, nodes: count }, 'silent for long: others look after its nodes')
}

async function relieveNodes(platform: Platform, silent: Appliance, ofSite: Appliance[]): Promise<number> {
  let count = 0
  for await (const { value } of items(platform.table, nodeList({ conductor_group: silent.site }))) {
    const node = value as Node
    if (node.keeper !== silent.uuid) continue
    if (await relieveKeeper(platform, node, ofSite)) count += 1
  }
  return count
}

async function noteDue({ table }: Platform, item: Item, due: Date | null): Promise<void> {
  const silent = item.value as Appliance
  try {
    await table.write([{ put: applianceItem({ ...silent, version: silent.version + 1 }, due), expect: item.version }])
  } catch (error) {
    if (!(error instanceof ConflictError)) throw error // it was heard of meanwhile
  }
}
