import { z } from 'zod'
import { UserError } from '../../contract/api/faults.ts'
import { verbSince } from '../../contract/api/matrix.ts'
import { configDriveSource } from '../../contract/config-drive.ts'
import { steps } from '../../contract/hardware.ts'
import { stepName } from '../../contract/plan.ts'
import { advance, type ProvisionEvent, type Verb, verbs } from '../../contract/provision.ts'
import { jsonObject, type Node } from '../../contract/resources.ts'
import { cancelWrites } from '../conductor/cancel.ts'
import { deleteConfigDrive, storeConfigDrive } from '../conductor/config-drive.ts'
import { move } from '../conductor/move.ts'
import type { Platform } from '../platform.ts'
import { changeNode, type NodeChange } from '../store/change-node.ts'
import { isBusy, powerPending } from '../store/nodes.ts'
import { readJson, withConfigDrive } from './body.ts'
import { acceptedAt, type Api, type Call, doneBy } from './context.ts'
import { noNode, nodeOf } from './find.ts'
import { holderLookup, lockedText } from './holders.ts'
import { requireVersion } from './microversion.ts'
import { requireValid } from './validation.ts'

/** PUT states/provision (reference §1.6.4): a verb becomes an event, and the node's next state is written. The rest follows from that. */
export function provisionRoutes(app: Api, platform: Platform): void {
  app.put('/v1/nodes/:ident/states/provision', (call) => provision(call, platform, call.req.param('ident')))
}

const request = z.strictObject({
  target: z.string().max(32),
  configdrive: z.union([z.string(), configDriveSource]).nullish(),
  clean_steps: z
    .array(z.strictObject({ interface: z.string().max(32), step: z.string().max(255), args: jsonObject.optional() }))
    .max(64)
    .nullish(),
  deploy_steps: z.unknown().optional(),
  service_steps: z.unknown().optional(),
  rescue_password: z.unknown().optional(),
  disable_ramdisk: z.unknown().optional(),
  runbook: z.unknown().optional(),
})
/** Of Ironic's arguments, those that nothing here makes use of. */
const unused = ['deploy_steps', 'service_steps', 'rescue_password', 'disable_ramdisk', 'runbook'] as const
type Request = z.infer<typeof request>

async function provision(call: Call, platform: Platform, ident: string): Promise<Response> {
  const asked = request.parse(await readJson(call, withConfigDrive))
  const { target } = asked
  if (!Object.hasOwn(verbs, target))
    throw new UserError(400, `The requested action "${target}" could not be understood.`)
  requireVersion(call, verbSince, [target])
  const verb = target as Verb
  const found = await nodeOf(platform, ident, call.var.minor)
  await check(platform, call, found, verb, asked)
  const drive = await configDriveOf(platform, found, asked)
  const after = await changeNode(platform, found.uuid, async (node) => {
    if (node.version !== found.version) await check(platform, call, node, verb, asked)
    return { ...(await started(platform, withLessee(call, node, verb), verbs[verb], asked, drive)), ...doneBy(call) }
  }).catch(async (error: unknown) => {
    if (drive !== undefined) await deleteConfigDrive(platform.blobs, drive)
    throw error
  })
  if (!after) throw noNode(ident)
  platform.log.info(
    { node: after.uuid, verb, from: found.provision_state, to: after.provision_state },
    'provision verb',
  )
  return acceptedAt(call, ident, 'states')
}

/** In Ironic's order: what is checked first is what is told. */
async function check(platform: Platform, call: Call, node: Node, verb: Verb, asked: Request): Promise<void> {
  const event = verbs[verb]
  const deploys = event === 'deploy' || event === 'rebuild'
  if (deploys && node.maintenance)
    throw new UserError(
      400,
      `The ${verb} operation can't be performed on node ${node.uuid} because it's in maintenance mode.`,
    )
  await checkActionable(platform, node, verb)
  checkArguments(call, verb, asked)
  if ((event === 'rebuild' || event === 'delete') && node.protected)
    throw new UserError(403, `Node ${node.uuid} is protected and cannot be undeployed, rebuilt or deleted.`)
  if (verb === 'provide' && node.retired)
    throw new UserError(400, `The provide operation can't be performed on node ${node.uuid} because it's retired.`)
  if (deploys) await requireValid(platform, node, ['power', 'deploy'])
  if (event === 'clean' || (event === 'provide' && node.automated_clean !== false))
    await requireValid(platform, node, ['power', 'boot'])
}

const unsupported: ReadonlySet<ProvisionEvent> = new Set(['inspect', 'adopt', 'rescue', 'unrescue', 'service'])

async function checkActionable(platform: Platform, node: Node, verb: Verb): Promise<void> {
  const event = verbs[verb]
  const possible = advance(node.provision_state, event, node.target_provision_state) !== undefined
  if (powerPending(node) || (!possible && isBusy(node))) {
    const { reservation } = await holderLookup(platform)(node)
    throw new UserError(409, lockedText(node, reservation))
  }
  if (!possible)
    throw new UserError(
      400,
      `The requested action "${verb}" can not be performed on node "${node.uuid}" while it is in state "${node.provision_state}".`,
    )
  if (unsupported.has(event))
    throw new UserError(400, `Driver ${node.driver} does not support ${verb} (disabled or not implemented).`)
}

function checkArguments(call: Call, verb: Verb, asked: Request): void {
  const { configdrive, clean_steps: cleanSteps } = asked
  const event = verbs[verb]
  const given = unused.filter((name) => asked[name] !== undefined && asked[name] !== null)
  if (given.length > 0) throw new UserError(400, `Not supported with ${verb}: ${given.join(', ')}.`)
  if (configdrive !== undefined && configdrive !== null) {
    if (event !== 'deploy' && event !== 'rebuild')
      throw new UserError(
        400,
        'Adding a config drive is only supported when setting provision state to active or rebuild',
      )
    requireVersion(call, { 'configdrive with rebuild': 35 }, event === 'rebuild' ? ['configdrive with rebuild'] : [])
    if (typeof configdrive === 'object')
      requireVersion(call, { 'configdrive as an object': 56 }, ['configdrive as an object'])
  }
  if (event === 'clean' && !cleanSteps?.length)
    throw new UserError(400, '"clean_steps" is required when setting target provision state to clean')
  if (event !== 'clean' && cleanSteps)
    throw new UserError(400, '"clean_steps" is only valid when setting target provision state to clean')
  for (const each of cleanSteps ?? []) checkCleanStep(each)
}

function checkCleanStep(asked: { interface: string; step: string; args?: Record<string, unknown> }): void {
  const name = stepName(asked)
  const known = Object.entries(steps).filter(([, { requestable }]) =>
    (requestable as readonly string[]).includes('clean'),
  )
  const names = known.map(([each]) => each)
  if (!names.includes(name)) throw new UserError(400, `Clean step ${name} is unknown; there is: ${names.join(', ')}.`)
  if (asked.args && Object.keys(asked.args).length > 0)
    throw new UserError(400, `Clean step ${name} takes no arguments.`)
}

/** Who has a node deployed leases it until it is torn down, unless somebody leases it already (Ironic's automatic_lessee). */
function withLessee(call: Call, node: Node, verb: Verb): Node {
  if (verbs[verb] !== 'deploy' || node.lessee !== null) return node
  const { project_id: named } = node.instance_info
  const lessee = typeof named === 'string' && named !== '' ? named.slice(0, 255) : call.var.caller.project?.id
  if (lessee === undefined) return node
  return { ...node, lessee, driver_internal_info: { ...node.driver_internal_info, automatic_lessee: true } }
}

/** Stored before the node points to it. */
async function configDriveOf(platform: Platform, node: Node, { configdrive }: Request): Promise<string | undefined> {
  return configdrive === undefined || configdrive === null || configdrive === ''
    ? undefined
    : storeConfigDrive(platform, node, configdrive)
}

async function started(
  platform: Platform,
  node: Node,
  event: ProvisionEvent,
  asked: Request,
  drive: string | undefined,
): Promise<NodeChange> {
  const now = platform.clock.now()
  const moved = move(node, event, now)
  if (!moved) throw new UserError(409, lockedText(node, null))
  const skipsCleaning = event === 'provide' && node.automated_clean === false
  const after: Node = (skipsCleaning ? move(moved, 'done', now) : undefined) ?? moved
  const internal = { ...node.driver_internal_info, clean_steps: asked.clean_steps?.map(stepName) ?? [] }
  return {
    node: {
      ...after,
      driver_internal_info: event === 'clean' ? internal : node.driver_internal_info,
      config_drive: event === 'deploy' ? (drive ?? null) : (drive ?? node.config_drive),
      ...(event === 'abort' ? { last_error: 'The operation was aborted by request.' } : {}),
    },
    writes: event === 'abort' ? await cancelWrites(platform, node, 'provision', 'aborted by request') : [],
  }
}
