import { UserError } from '../../contract/api/faults.ts'
import { verbSince } from '../../contract/api/matrix.ts'
import { type ProvisionEvent, type Verb, verbs } from '../../contract/provision.ts'
import type { Node } from '../../contract/resources.ts'
import { RESCUE_PASSWORD } from '../../contract/seal.ts'
import { withAskedSteps } from '../conductor/asked.ts'
import { cancelWrites } from '../conductor/cancel.ts'
import { deleteConfigDrive, storeConfigDrive } from '../conductor/config-drive.ts'
import { isCleaned } from '../conductor/automated-cleaning.ts'
import { withDeployInterface } from '../conductor/deploy-interface.ts'
import { move } from '../conductor/move.ts'
import { type Children, stepsNamed, stepsOfDeploy } from '../conductor/named-steps.ts'
import { unholdWrites } from '../conductor/unhold.ts'
import type { Platform } from '../platform.ts'
import { changeNode, type NodeChange } from '../store/change-node.ts'
import { argumentsOf } from './arguments.ts'
import { withConfigDrive } from './body.ts'
import { childrenFor } from './child-steps.ts'
import { acceptedAt, type Api, type Call, doneBy } from './context.ts'
import { requireMatch } from './etag.ts'
import { noNode, nodeOf } from './find.ts'
import { lockedText } from './holders.ts'
import { requireVersion } from './microversion.ts'
import { check } from './provision-checks.ts'
import { type Request, request } from './provision-request.ts'
import { flag } from './query.ts'
import { type Rehearsal, rehearse, withoutWriting } from './rehearsal.ts'
import { withRunbook } from './runbook-of-request.ts'
import { sealSecrets } from './secrets.ts'
import { settled } from './settle.ts'
import { sealingFor } from './site-of-node.ts'

/** PUT states/provision (reference §1.6.4): a verb becomes an event, and the node's next state is written. The rest follows from that. */
export function provisionRoutes(app: Api, platform: Platform): void {
  app.put('/v1/nodes/:ident/states/provision', (call) => provision(call, platform, call.req.param('ident')))
}

async function provision(call: Call, platform: Platform, ident: string): Promise<Response> {
  const asked = await argumentsOf(call, request, withConfigDrive)
  if (flag('dry_run', call.req.query('dry_run'))) return call.json(await rehearsal(call, platform, ident, asked))
  await perform(call, platform, await settled(platform, await nodeOf(platform, ident, call.var.minor)), asked)
  return acceptedAt(call, ident, 'states')
}

function verbOf(call: Call, { target }: Request, node: Node): Verb {
  if (!Object.hasOwn(verbs, target))
    throw new UserError(
      400,
      `The requested action "${target}" can not be performed on node "${node.uuid}" while it is in state "${node.provision_state}".`,
    )
  requireVersion(call, verbSince, [target])
  return target as Verb
}

/** Starts what was asked for. The node's state says so at once; the work goes on by itself. */
export async function perform(call: Call, platform: Platform, found: Node, asked: Request): Promise<Node> {
  const verb = verbOf(call, asked, found)
  await check(platform, call, found, verb, asked)
  const whole = await completed(call, platform, found, verb, asked)
  const drive = await configDriveOf(platform, found, asked)
  const after = await changeNode(platform, found.uuid, async (node) => {
    requireMatch(call, `Node ${node.uuid}`, node)
    if (node.version !== found.version) await check(platform, call, node, verb, asked)
    return { ...(await started(platform, withLessee(call, node, verb), verbs[verb], whole, drive)), ...doneBy(call) }
  }).catch(async (error: unknown) => {
    if (drive !== undefined) await deleteConfigDrive(platform.blobs, drive)
    throw error
  })
  if (!after) throw noNode(found.uuid)
  platform.log.info(
    { node: after.uuid, verb, from: found.provision_state, to: after.provision_state },
    'provision verb',
  )
  return after
}

/** All that `perform` would do, up to the plan. */
export async function rehearsal(call: Call, platform: Platform, ident: string, asked: Request): Promise<Rehearsal> {
  const found = await nodeOf(platform, ident, call.var.minor)
  const verb = verbOf(call, asked, found)
  requireMatch(call, `Node ${found.uuid}`, found)
  await check(platform, call, found, verb, asked)
  const whole = await completed(call, platform, found, verb, asked)
  const dry = { ...platform, blobs: withoutWriting(platform.blobs) }
  const drive = await configDriveOf(dry, found, asked)
  const { node } = await started(dry, withLessee(call, found, verb), verbs[verb], whole, drive)
  return rehearse(dry, found, node)
}

/** With what the request only refers to. */
interface Complete extends Request {
  children: Children
}

async function completed(call: Call, platform: Platform, node: Node, verb: Verb, asked: Request): Promise<Complete> {
  const whole = await withRunbook(call, platform, node, verb, asked)
  const steps = whole.clean_steps ?? whole.service_steps ?? []
  return { ...whole, children: await childrenFor(call, platform, node, steps) }
}

/** Who has a node deployed leases it until it is torn down, unless somebody leases it already (Ironic's automatic_lessee). */
function withLessee(call: Call, node: Node, verb: Verb): Node {
  if (verbs[verb] !== 'deploy' || node.lessee !== null) return node
  const { project_id: named } = node.instance_info
  const lessee = typeof named === 'string' && named !== '' ? named.slice(0, 255) : call.var.caller.project?.id
  if (lessee === undefined) return node
  return { ...node, lessee, driver_internal_info: { ...node.driver_internal_info, automatic_lessee: true } }
}

/** Stored before the node points to it. Without one in the request, a deploy takes what was patched into instance_info. */
async function configDriveOf(
  platform: Platform,
  node: Node,
  { target, configdrive }: Request,
): Promise<string | undefined> {
  const event = verbs[target as Verb]
  const patched = event === 'deploy' || event === 'rebuild' ? node.instance_info['configdrive'] : undefined
  const source = configdrive || request.shape.configdrive.safeParse(patched).data
  return source ? storeConfigDrive(platform, node, source) : undefined
}

async function started(
  platform: Platform,
  node: Node,
  event: ProvisionEvent,
  asked: Complete,
  drive: string | undefined,
): Promise<NodeChange> {
  const now = platform.clock.now()
  const moved = move(node, event, now)
  if (!moved) throw new UserError(409, lockedText(node, null))
  const skipsCleaning = event === 'provide' && !isCleaned(node, platform.options)
  const after: Node = (skipsCleaning ? move(moved, 'done', now) : undefined) ?? moved
  const effect = await effects[event]?.(platform, node, after, asked)
  return {
    ...effect,
    node: { ...(effect?.node ?? after), config_drive: drive ?? node.config_drive },
  }
}

/** What an event changes beside the state. */
type Effect = (platform: Platform, before: Node, after: Node, asked: Complete) => Promise<NodeChange>

const deploys: Effect = async (platform, _, moved, { deploy_steps: own }) => {
  const after = withDeployInterface(moved, platform.options)
  return { node: withAskedSteps(after, 'deploy', await stepsOfDeploy(platform, after, own ?? [])) }
}

function stepped(kind: 'clean' | 'service'): Effect {
  return async ({ options }, _, after, asked) => {
    const steps = { steps: asked[`${kind}_steps`] ?? [], disable_ramdisk: asked.disable_ramdisk ?? false }
    return { node: withAskedSteps(after, kind, stepsNamed(after, kind, steps, asked.children, options)) }
  }
}

const effects: Partial<Record<ProvisionEvent, Effect>> = {
  deploy: deploys,
  rebuild: deploys,
  adopt: async ({ options }, _, after) => ({ node: withDeployInterface(after, options) }),
  clean: stepped('clean'),
  service: stepped('service'),
  rescue: async (platform, _, after, { rescue_password: password }) => {
    const to = await sealingFor(platform, after.uuid, after.conductor_group)
    const sealed = sealSecrets({ [RESCUE_PASSWORD]: password }, {}, to)
    return { node: { ...after, instance_info: { ...after.instance_info, ...sealed } } }
  },
  unhold: async (platform, before, after) => ({ node: after, writes: await unholdWrites(platform, before) }),
  abort: async (platform, before, after) => ({
    node: {
      ...after,
      last_error: after.provision_state === 'active' ? null : 'The operation was aborted by request.',
    },
    writes: await cancelWrites(platform, before, 'provision', 'aborted by request'),
  }),
}
