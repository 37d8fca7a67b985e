import type { Holders } from '../../contract/api/views.ts'
import type { Appliance, Node } from '../../contract/resources.ts'
import { keeperOf } from '../conductor/choose.ts'
import type { Platform, Table } from '../platform.ts'
import { appliancesOf, appliancesWritten } from '../store/appliances.ts'
import { isBusy } from '../store/nodes.ts'

/** Who has a node in hand, by name. */
export function holderLookup({ table, clock }: Pick<Platform, 'table' | 'clock'>): (node: Node) => Promise<Holders> {
  return async (node) => {
    const site = node.conductor_group
    if (site === '') return { conductor: null, reservation: null }
    const ofSite = await appliancesShown(table, site)
    const conductor = keeperOf(node, ofSite, clock.now())?.name ?? null
    if (!isBusy(node)) return { conductor, reservation: null }
    const uuid = (node.operation ?? node.power_operation)?.appliance
    return { conductor, reservation: ofSite.find((each) => each.uuid === uuid)?.name ?? conductor }
  }
}

/** Names that are shown may be this old where another process has written them. */
const FRESH_MS = 1000

interface Read {
  at: number
  written: number
  appliances: Promise<Appliance[]>
}

const reads = new WeakMap<Table, Map<string, Read>>()

/** A site's appliances are asked for with each of its nodes, and are few. */
function appliancesShown(table: Table, site: string): Promise<Appliance[]> {
  const ofTable = reads.get(table) ?? new Map<string, Read>()
  reads.set(table, ofTable)
  const [at, written] = [performance.now(), appliancesWritten()]
  const known = ofTable.get(site)
  if (known && known.written === written && at - known.at < FRESH_MS) return known.appliances
  const appliances = appliancesOf(table, site)
  appliances.catch(() => ofTable.delete(site))
  ofTable.set(site, { at, written, appliances })
  return appliances
}

export function lockedText(node: Node, holder: string | null): string {
  return `Node ${node.uuid} is locked by host ${holder ?? node.conductor_group}, please retry after the current operation is completed.`
}
