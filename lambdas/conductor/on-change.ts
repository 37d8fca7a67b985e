import { UserError } from '../../contract/api/faults.ts'
import type { Allocation } from '../../contract/allocation.ts'
import type { Lane, Plan } from '../../contract/plan.ts'
import type { Appliance, Node, Operation } from '../../contract/resources.ts'
import type { Change, Platform } from '../platform.ts'
import { appliancesOf } from '../store/appliances.ts'
import { changeNode, type NodeChange } from '../store/change-node.ts'
import { THE_CLOUD } from '../store/history.ts'
import { applianceOfCommand, type StoredCommand, type Unnumbered } from '../store/commands.ts'
import { allocate } from './allocate.ts'
import { inHand, planAppliance } from './choose.ts'
import { shownName } from './family.ts'
import { namesIn, requireKnown } from './known.ts'
import { settleKeeper, tellKeeper } from './keeper.ts'
import { fail, endPower } from './move.ts'
import { pendingLane, planFor, requestOf } from './plan.ts'
import { packPlan, planBlob, publish } from './publish.ts'
import { forgetNode } from './forget.ts'
import { withSealingKeys } from './sealing-keys.ts'
import { deleteConfigDrive } from './config-drive.ts'
import { serversChanged } from '../compute/changes.ts'
import { servicePortsChanged, takeServicePorts } from '../network/service-ports.ts'
import { tenantPortsChanged } from '../network/tell-sites.ts'
import { volumesChanged } from '../volume/reconcile.ts'
import { fanOut } from '../webhooks/fan-out.ts'

/** Fed by the table's change feed, which delivers at least once: every reaction looks at what is there now, and is conditional on it. */
export async function onChange(platform: Platform, changes: Change[]): Promise<void> {
  await Promise.all([
    inTurn(changes, (change) => react(platform, change)),
    serversChanged(platform, changes),
    tenantPortsChanged(platform, changes),
    servicePortsChanged(platform, changes),
    volumesChanged(platform, changes),
    publishNew(platform, changes),
    fanOut(platform, changes),
  ])
}

async function inTurn(changes: Change[], act: (change: Change) => Promise<void>): Promise<void> {
  for (const change of changes) await act(change)
}

async function react(platform: Platform, { key, before, after }: Change): Promise<void> {
  if (key.sk === 'node')
    return nodeChanged(platform, before?.value as Node | undefined, after?.value as Node | undefined)
  if (key.sk === 'allocation') {
    const allocation = after?.value as Allocation | undefined
    return allocation?.state === 'allocating' ? allocate(platform, allocation.uuid) : undefined
  }
}

/** Each appliance's new commands, in as few messages as they fit into. */
async function publishNew(platform: Platform, changes: Change[]): Promise<void> {
  const stored = changes.flatMap(({ key, before, after }) => {
    const appliance = applianceOfCommand(key)
    return appliance && after && !before ? [{ appliance, command: after.value as StoredCommand }] : []
  })
  for (const [appliance, own] of Map.groupBy(stored, (each) => each.appliance))
    await publish(
      platform,
      appliance,
      own.map(({ command }) => command),
    )
}

async function nodeChanged(platform: Platform, before: Node | undefined, after: Node | undefined): Promise<void> {
  await deleteLeftovers(platform, before, after)
  if (after && pendingLane(after)) await planNode(platform, after.uuid)
  if (before && !after) await forgetNode(platform, before)
  if (before && after && inHand(before) && !inHand(after)) await settleKeeper(platform, after)
}

/** Blobs that the node no longer points to. */
async function deleteLeftovers({ blobs }: Platform, before: Node | undefined, after: Node | undefined): Promise<void> {
  if (before?.config_drive && before.config_drive !== after?.config_drive)
    await deleteConfigDrive(blobs, before.config_drive)
  const ended = before?.operation
  if (ended && ended.plan !== after?.operation?.plan) await blobs.delete(planBlob(before.uuid, ended.plan))
}

/** Gives the node's pending operation its plan and stores the command, in one transaction; or fails it, saying why. */
export async function planNode(platform: Platform, uuid: string): Promise<void> {
  await changeNode(platform, uuid, async (node) => {
    const lane = pendingLane(node)
    if (!lane) return undefined
    const now = platform.clock.now()
    const site = await appliancesOf(platform.table, node.conductor_group)
    const appliance = planAppliance(node, site, now)
    if (!appliance) return giveUp(platform, node, lane, noAppliance(node))
    try {
      return await planned(platform, node, lane, { appliance, site }, now)
    } catch (error) {
      if (!(error instanceof UserError)) throw error
      return giveUp(platform, node, lane, error.message)
    }
  })
}

async function planned(
  platform: Platform,
  node: Node,
  lane: Lane,
  { appliance, site }: { appliance: Appliance; site: Appliance[] },
  now: Date,
): Promise<NodeChange> {
  const request = await requestOf(platform, node, lane)
  const plan = withSealingKeys(await planFor(platform, node, request, lane, { id: platform.ids.uuid(), now }), site)
  requireKnown(appliance, namesIn(plan))
  const addresses = lane === 'provision' ? await takeServicePorts(platform, node, request.kind) : undefined
  const addressed = addresses ? { ...plan, machine: { ...plan.machine, addresses } } : plan
  const packed = await packPlan(platform.blobs, addressed)
  const command: Unnumbered = {
    id: platform.ids.uuid(),
    node: node.uuid,
    generation: node.generation,
    issued_at: now.toISOString(),
    kind: 'run',
    deadline: new Date(now.getTime() + acceptWithin[lane] * 1000).toISOString(),
    plan: packed,
  }
  const operation = operationOf(plan, appliance, now)
  platform.log.info(
    {
      node: node.uuid,
      site: appliance.site,
      appliance: appliance.name,
      plan: plan.id,
      kind: plan.kind,
      generation: plan.generation,
    },
    'planned',
  )
  const running = { ...node, ...(lane === 'power' ? { power_operation: operation } : { operation }) }
  return tellKeeper(platform, node, running, appliance, [command])
}

/** A site that is cut off may begin late with what a node's state waits for; switching power that late would surprise. */
const acceptWithin: Record<Lane, number> = { provision: 24 * 3600, power: 600 }

function operationOf(plan: Plan, appliance: Appliance, now: Date): Operation {
  return {
    plan: plan.id,
    kind: plan.kind,
    generation: plan.generation,
    appliance: appliance.uuid,
    ordinal: 0,
    phase: 'sent',
    step: 0,
    steps: plan.steps.length,
    names: plan.steps.map(shownName),
    percent: null,
    note: null,
    since: now.toISOString(),
  }
}

function giveUp(platform: Platform, node: Node, lane: Lane, why: string): NodeChange | undefined {
  platform.log.warn({ node: node.uuid, site: node.conductor_group, lane, why }, 'not planned')
  const failed = lane === 'power' ? endPower(node, why) : fail(node, why, false, platform.clock.now())
  return failed && { node: failed, conductor: THE_CLOUD }
}

function noAppliance({ conductor_group: site }: Node): string {
  return site === ''
    ? 'The node belongs to no site: set its conductor_group.'
    : `Site ${site} has no appliance: enrol one.`
}
