import type { CommandKind } from '../../contract/messages.ts'
import type { Node, Operation } from '../../contract/resources.ts'
import { allowed } from '../../contract/policy.ts'
import { explain, type WhyFacts } from '../../contract/why.ts'
import { keeperOf } from '../conductor/choose.ts'
import type { Platform } from '../platform.ts'
import { appliancesOf, isAlive } from '../store/appliances.ts'
import { storedCommands } from '../store/commands.ts'
import { lastScreen } from '../store/consoles.ts'
import { deployLogsOf } from '../store/deploy-logs.ts'
import { healthOf } from '../store/health.ts'
import type { Api } from './context.ts'
import { nodeOf } from './find.ts'

/** GET /v1/nodes/{ident}/why: ours. */
export function whyRoutes(app: Api, platform: Platform): void {
  app.get('/v1/nodes/:ident/why', async (call) => {
    const node = await nodeOf(platform, call.req.param('ident'), call.var.minor)
    const mayLook = allowed('baremetal:node:get_console', call.var.caller, node)
    const screen = mayLook && node.last_error !== null ? await lastScreen(platform.table, node.uuid) : null
    const mayFetch = allowed('baremetal:node:vendor_passthru', call.var.caller, node)
    const deploy_log = mayFetch && node.last_error !== null ? await lastLog(platform, node) : null
    return call.json(explain({ ...(await factsOf(platform, node)), screen, deploy_log }))
  })
}

const ofOperations: readonly CommandKind[] = ['run', 'cancel', 'unhold']

async function factsOf({ table, clock }: Platform, node: Node): Promise<Omit<WhyFacts, 'screen' | 'deploy_log'>> {
  const operation = node.operation ?? node.power_operation
  const ofSite = node.conductor_group === '' ? [] : await appliancesOf(table, node.conductor_group)
  const now = clock.now()
  const appliance = operation ? ofSite.find(({ uuid }) => uuid === operation.appliance) : keeperOf(node, ofSite, now)
  const stored = operation && appliance ? await storedCommands(table, appliance.uuid) : []
  const own = stored.findLast(
    ({ command }) =>
      ofOperations.includes(command.kind) && command.node === node.uuid && command.generation === operation?.generation,
  )
  return {
    node: node.uuid,
    name: node.name,
    provision_state: node.provision_state,
    target_provision_state: node.target_provision_state,
    power_state: node.power_state,
    target_power_state: node.target_power_state,
    maintenance: node.maintenance,
    maintenance_reason: node.maintenance_reason,
    last_error: node.last_error,
    deadline: node.deadline,
    operation: operation && told(operation),
    command: operation && { sent_at: own ? own.published_at : operation.since, acknowledged: own === undefined },
    appliance: appliance
      ? { name: appliance.name, alive: isAlive(appliance, now), last_seen: appliance.last_seen }
      : null,
    site: node.conductor_group,
    health: await unwell(table, node),
  }
}

async function lastLog({ table }: Platform, { uuid }: Node): Promise<string | null> {
  const logs = (await deployLogsOf(table, uuid)).filter(({ stored }) => stored)
  return logs.at(-1)?.collected_at ?? null
}

const MOST_CAUSES = 4

/** Most nodes are well, and cost no reading. */
async function unwell(table: Platform['table'], { uuid, health }: Node): Promise<WhyFacts['health']> {
  if (health === null || health === 'OK') return null
  const { causes } = await healthOf(table, uuid)
  return { level: health, causes: causes.slice(0, MOST_CAUSES).map(({ text }) => text) }
}

function told(operation: Operation): NonNullable<WhyFacts['operation']> {
  const { kind, phase, step, steps, names, percent, note, since, ordinal, boot = [] } = operation
  return {
    kind,
    phase,
    step: names[step] ?? null,
    number: step + 1,
    steps,
    percent,
    note,
    at: since,
    reports: ordinal,
    boot,
  }
}
