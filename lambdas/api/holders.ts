import type { Holders } from '../../contract/api/views.ts'
import type { Appliance, Node } from '../../contract/resources.ts'
import { chooseAppliance } from '../conductor/choose.ts'
import type { Platform } from '../platform.ts'
import { appliancesOf } from '../store/appliances.ts'
import { isBusy } from '../store/nodes.ts'

/** Who has a node in hand, by name. Each site's appliances are read once for all nodes of a reply. */
export function holderLookup({ table, clock }: Pick<Platform, 'table' | 'clock'>): (node: Node) => Promise<Holders> {
  const bySite = new Map<string, Promise<Appliance[]>>()
  return async (node) => {
    const site = node.conductor_group
    if (site === '') return { conductor: null, reservation: null }
    const known = bySite.get(site) ?? appliancesOf(table, site)
    bySite.set(site, known)
    const ofSite = await known
    const conductor = chooseAppliance(node, ofSite, clock.now())?.name ?? null
    if (!isBusy(node)) return { conductor, reservation: null }
    const uuid = (node.operation ?? node.power_operation)?.appliance
    return { conductor, reservation: ofSite.find((each) => each.uuid === uuid)?.name ?? conductor }
  }
}

export function lockedText(node: Node, holder: string | null): string {
  return `Node ${node.uuid} is locked by host ${holder ?? node.conductor_group}, please retry after the current operation is completed.`
}
