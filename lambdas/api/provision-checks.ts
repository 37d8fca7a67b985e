import { UserError } from '../../contract/api/faults.ts'
import { unknownTo } from '../../contract/features.ts'
import { type InterfaceKind, isAbsent } from '../../contract/hardware.ts'
import { stepName } from '../../contract/plan.ts'
import { provision, type ProvisionEvent, type Verb, verbs, verbsFrom } from '../../contract/provision.ts'
import type { Node } from '../../contract/resources.ts'
import { isCleaned } from '../conductor/automated-cleaning.ts'
import { planAppliance } from '../conductor/choose.ts'
import { withDeployInterface } from '../conductor/deploy-interface.ts'
import { requireKnown } from '../conductor/known.ts'
import type { Platform } from '../platform.ts'
import { appliancesOf } from '../store/appliances.ts'
import { findImage } from '../store/images.ts'
import { powerPending } from '../store/nodes.ts'
import type { Call } from './context.ts'
import { imageOf } from './images.ts'
import { holderLookup, lockedText } from './holders.ts'
import { requireRoom } from './limits.ts'
import { checkArguments, type Request } from './provision-request.ts'
import { requireValid } from './validation.ts'

/** Whether a verb may be raised now, in Ironic's order: what is checked first is what is told. */
export async function check(platform: Platform, call: Call, node: Node, verb: Verb, asked: Request): Promise<void> {
  const event = verbs[verb]
  if (event === 'deploy' || event === 'rebuild') refuseMaintenance(node)
  await checkActionable(platform, node, verb)
  checkArguments(call, verb, node, asked)
  await requireKnownSteps(platform, node, asked)
  const { deploy_interface: deploys } = withDeployInterface(node, platform.options)
  if (deploys === 'ramdisk' && asked.configdrive)
    throw new UserError(400, 'A ramdisk deploy writes no disk, and has no place for a config drive.')
  if ((event === 'rebuild' || event === 'delete') && node.protected)
    throw new UserError(403, `Node ${node.uuid} is protected and cannot be undeployed, rebuilt or deleted.`)
  if (verb === 'provide' && node.retired)
    throw new UserError(400, `The provide operation can't be performed on node ${node.uuid} because it's retired.`)
  if (notInMaintenance.includes(event)) refuseMaintenance(node)
  if (verb === 'provide' && !platform.options.allow_provisioning_in_maintenance) refuseMaintenance(node)
  if (event === 'deploy' || event === 'rebuild') await requireSeenImages(platform, call, node)
  await checkInterfaces(platform, node, verb)
  await requireRoom(platform, node, event)
}

/** The node's appliance may be older than a step. Of what is planned by itself the conductor says so, at once as well. */
async function requireKnownSteps({ table, clock }: Platform, node: Node, asked: Request): Promise<void> {
  const { clean_steps, service_steps, deploy_steps } = asked
  const names = [clean_steps, service_steps, deploy_steps].flatMap((steps) => steps ?? []).map(stepName)
  if (unknownTo(undefined, names).length === 0) return
  const appliance = planAppliance(node, await appliancesOf(table, node.conductor_group), clock.now())
  if (appliance) requireKnown(appliance, names)
}

/** What instance_info may name an image of ours in. */
const imageFields = ['image_source', 'kernel', 'ramdisk', 'stage2', 'ks_template']

/** Who has a node on lease deploys no image that another project keeps to itself. Others are told of as if it weren't there. */
async function requireSeenImages(platform: Platform, call: Call, { instance_info: info }: Node): Promise<void> {
  for (const source of imageFields.map((field) => info[field]))
    if (
      typeof source === 'string' &&
      source !== '' &&
      !source.includes('://') &&
      (await findImage(platform.table, source))
    )
      await imageOf(call, platform, source)
}

const notInMaintenance: readonly ProvisionEvent[] = ['rescue', 'unrescue', 'clean', 'service']

function refuseMaintenance(node: Node): void {
  if (node.maintenance)
    throw new UserError(
      400,
      `The provisioning operation can't be performed on node ${node.uuid} because it's in maintenance mode.`,
    )
}

/** Only where something is being done right now is a client told to come again; a wait is a state like others. */
async function checkActionable(platform: Platform, node: Node, verb: Verb): Promise<void> {
  const possible = verbsFrom(node.provision_state).includes(verb)
  if (powerPending(node) || (!possible && provision[node.provision_state].kind === 'working')) {
    const { reservation } = await holderLookup(platform)(node)
    throw new UserError(409, lockedText(node, reservation))
  }
  if (!possible)
    throw new UserError(
      400,
      `The requested action "${verb}" can not be performed on node "${node.uuid}" while it is in state "${node.provision_state}".`,
    )
}

/** The interface that a verb is about, where a driver may lack it. */
const about: Partial<Record<ProvisionEvent, InterfaceKind>> = {
  inspect: 'inspect',
  rescue: 'rescue',
  unrescue: 'rescue',
}

async function checkInterfaces(platform: Platform, node: Node, verb: Verb): Promise<void> {
  const event = verbs[verb]
  const kind = about[event]
  if (kind && isAbsent(node[`${kind}_interface`]))
    throw new UserError(400, `Driver ${node.driver} does not support ${kind} (disabled or not implemented).`)
  if (event === 'deploy' || event === 'rebuild') await requireValid(platform, node, ['power', 'deploy'])
  if (event === 'adopt') await requireValid(platform, node, ['power'])
  if (kind && node[`${kind}_interface`] === 'fake') return
  const cleans = event === 'clean' || (event === 'provide' && isCleaned(node, platform.options))
  if (cleans && node.deploy_interface === 'noop') return requireValid(platform, node, ['power'])
  if (kind || cleans || event === 'service') await requireValid(platform, node, ['power', 'boot'])
}
