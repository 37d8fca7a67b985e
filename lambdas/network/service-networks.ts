import { UserError } from '../../contract/api/faults.ts'
import type { ConductorOptions } from '../../contract/conductor-options.ts'
import type { Network } from '../../contract/network.ts'
import type { PlanKind } from '../../contract/plan.ts'
import type { Node } from '../../contract/resources.ts'
import type { Platform, Table } from '../platform.ts'
import { all } from '../store/paging.ts'
import { networkStore } from './store.ts'

/** Networks on which machines are while a ramdisk runs on them, by Ironic's names of them. */

const uses = {
  deploy: 'provisioning',
  clean: 'cleaning',
  tear_down: 'cleaning',
  rescue: 'rescuing',
  inspect: 'inspection',
  service: 'servicing',
} as const satisfies Partial<Record<PlanKind, string>>
export type Use = (typeof uses)[keyof typeof uses]

/** Of an operation; those without a network of their own are on that for provisioning. */
export const useOf = (kind: PlanKind): Use => (kind in uses ? uses[kind as keyof typeof uses] : 'provisioning')

type Needs = Pick<Platform, 'table' | 'options'>

/** What the node or else the operator names; that for provisioning does where another is not named. */
function namedFor({ driver_info: info }: Pick<Node, 'driver_info'>, use: Use, options: ConductorOptions): unknown {
  const [own, usual] = [`${use}_network`, 'provisioning_network'] as const
  return info[own] ?? info[usual] ?? options[own] ?? options[usual] ?? undefined
}

/** Undefined: nobody named one. Throws where there is none such. */
export async function serviceNetwork({ table, options }: Needs, node: Node, use: Use): Promise<Network | undefined> {
  const named = namedFor(node, use, options)
  if (named === undefined || named === '') return undefined
  const network = typeof named === 'string' ? await byName(table, named, use) : undefined
  if (network) return network
  throw new UserError(400, `The ${use} network with name or UUID ${JSON.stringify(named)} was not found.`)
}

export async function requireServiceNetwork(platform: Needs, node: Node, use: Use): Promise<Network> {
  const network = await serviceNetwork(platform, node, use)
  if (network) return network
  throw new UserError(
    400,
    `UUID or name of ${use} network is not set in configuration: name it in driver_info/${use}_network (or provisioning_network), or in the conductor's options.`,
  )
}

async function byName(table: Table, ident: string, use: Use): Promise<Network | undefined> {
  const own = await networkStore.get(table, ident)
  if (own) return own
  const found = (await all<Network>(table, { index: 'all', pk: 'networks' })).filter(({ name }) => name === ident)
  if (found.length > 1)
    throw new UserError(400, `More than one ${use} network is called ${JSON.stringify(ident)}: name it by its UUID.`)
  return found[0]
}
