import { z } from 'zod'
import { UserError } from '../../contract/api/faults.ts'
import type { InspectionRule } from '../../contract/inspection-rule.ts'
import { resolveInterfaces } from '../../contract/hardware.ts'
import { type Node, node as nodeSchema, type Port, port as portSchema } from '../../contract/resources.ts'
import { isSealed, isSecretKey, MASK } from '../../contract/seal.ts'
import { cancelWrites } from '../conductor/cancel.ts'
import { toldOfChange } from '../conductor/keeper.ts'
import { fail } from '../conductor/move.ts'
import { CALLS_MS, callApi } from '../inspection/api-call.ts'
import { applyRules, type Outcome } from '../inspection/rules.ts'
import type { Platform, Write } from '../platform.ts'
import { changeNode, type NodeChange } from '../store/change-node.ts'
import { inspectionRuleList } from '../store/inspection-rules.ts'
import { getNode } from '../store/nodes.ts'
import { all } from '../store/paging.ts'
import { portsOf, portStore } from '../store/ports.ts'

type Json = Record<string, unknown>
/** `refused`: why the inspection failed before the rules were asked. */
export interface Judged {
  node: string
  plan: string
  conductor: string
  inventory: Json
  plugin_data: Json
  refused: string | undefined
}

/** Applies the inspection rules to a node and its ports, in one transaction that also remembers which plan's inventory it was, so that one
 * that comes twice is judged once. A rule that fails fails the inspection, and the site is told to stop. Returns what plugins found, as
 * the rules left it. */
export async function judge(
  platform: Platform,
  report: Judged,
  isAsked: (node: Node | undefined) => node is Node,
  inspected: (node: Node) => Node,
): Promise<Json> {
  const rules = await all<InspectionRule>(platform.table, inspectionRuleList)
  const ports = await portsOf(platform.table, report.node)
  const { inventory, plugin_data } = report
  const judged = (node: Node): Outcome =>
    applyRules(rules, { node: shown(node), ports: structuredClone(ports) as unknown as Json[], inventory, plugin_data })

  const snapshot = await getNode(platform.table, report.node)
  const rehearsed = isAsked(snapshot) ? judged(inspected(snapshot)) : undefined
  const refused = report.refused ?? (rehearsed ? await called(platform, rehearsed) : undefined)
  const decide = async (before: Node, why: string | undefined): Promise<NodeChange | undefined> => {
    if (!isAsked(before)) return undefined
    const internal = { ...before.driver_internal_info, inspected_by: report.plan }
    const base = { ...inspected(before), driver_internal_info: internal }
    if (why !== undefined) return failed(platform, base, why)
    const outcome = judged(base)
    const node = withRules(base, outcome)
    const writes = portWrites(platform, ports, outcome)
    if (outcome.failure === undefined) {
      const told = await toldOfChange(platform, before, node)
      return { node: told.node, writes: [...writes, ...told.writes] }
    }
    const change = await failed(platform, node, outcome.failure)
    return { ...change, writes: [...(change.writes ?? []), ...writes] }
  }
  const change = (why: string | undefined) =>
    changeNode(platform, report.node, async (before) => {
      const decided = await decide(before, why)
      return decided && { ...decided, conductor: report.conductor }
    })
  try {
    await change(refused)
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    await change(`Failed to inspect hardware. Reason: ${error.message}`)
  }
  for (const { level, msg } of rehearsed?.logged ?? [])
    platform.log[level]({ node: report.node, msg }, 'inspection rule')
  return rehearsed?.plugin_data ?? plugin_data
}

async function failed(platform: Platform, node: Node, why: string): Promise<NodeChange> {
  const after = fail(node, why, true, platform.clock.now())
  // Its plan has overtaken it: the state stays, and people are told.
  if (!after) return { node: { ...node, last_error: why } }
  return { node: after, writes: await cancelWrites(platform, node, 'provision', why) }
}

async function called({ options }: Platform, { calls, failure }: Outcome): Promise<string | undefined> {
  if (failure !== undefined) return undefined
  const until = AbortSignal.timeout(CALLS_MS)
  for (const call of calls) {
    const why = await callApi(call, options.inspection_rules_networks, until)
    if (why !== undefined) return `Failed to inspect hardware. Reason: request to ${call.url} failed: ${why}`
  }
  return undefined
}

/** What rules see of a node: no secret. */
function shown(node: Node): Json & { traits: string[] } {
  const info = Object.entries(node.driver_info).map(([key, value]) => [key, isSealed(value) ? MASK : value])
  return { ...structuredClone(node), driver_info: Object.fromEntries(info) as Json }
}

/** What attributes are that rules have deleted. */
const empty = { name: null, description: null, extra: {} }
const blankNode = {
  ...empty,
  properties: {},
  driver_info: {},
  instance_info: {},
  network_data: {},
  resource_class: null,
  owner: null,
  lessee: null,
  shard: null,
  automated_clean: null,
  retired_reason: null,
  disable_power_off: false,
  retired: false,
}
const blankPort = {
  ...empty,
  local_link_connection: {},
  physical_network: null,
  vendor: null,
  category: null,
  pxe_enabled: true,
  is_smartnic: false,
}

/** UserError: the rules made something of it that it can't be. */
function withRules(node: Node, outcome: Outcome): Node {
  const made = { ...blankNode, ...outcome.node }
  const info = Object.entries(made.driver_info as Json).map(([key, value]) => {
    const kept = node.driver_info[key]
    if (value === MASK && isSealed(kept)) return [key, kept]
    if (isSecretKey(key) && value !== kept)
      throw new UserError(400, `driver_info/${key} is a secret, which inspection rules can't set`)
    return [key, value]
  })
  const whole = valid(nodeSchema, { ...made, driver_info: Object.fromEntries(info) as Json }, 'node')
  return whole.driver === node.driver ? whole : withDriver(whole)
}

/** One that somebody enrolled has interfaces that they chose; one that was discovered begins anew with those of its new driver. */
function withDriver(node: Node): Node {
  if (node.provision_state !== 'enroll')
    throw new UserError(400, 'driver can be set by inspection rules only of machines that were discovered')
  const interfaces = resolveInterfaces(node.driver, { inspect_interface: 'agent' })
  if (typeof interfaces === 'string') throw new UserError(400, interfaces)
  return { ...node, ...interfaces }
}

function portWrites({ clock }: Platform, before: Port[], { ports }: Outcome): Write[] {
  return before.flatMap((port, at) => {
    const made = valid(portSchema, { ...blankPort, ...ports[at] }, `port ${port.uuid}`)
    if (JSON.stringify(made) === JSON.stringify(port)) return []
    const after = { ...made, version: port.version + 1, updated_at: clock.now().toISOString() }
    // That its node is there, the node's own write sees to.
    return portStore.writes(port, after).filter((write) => !('check' in write))
  })
}

function valid<T>(schema: z.ZodType<T>, value: unknown, what: string): T {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  throw new UserError(400, `the rules make a ${what} that can't be: ${z.prettifyError(parsed.error)}`)
}
