import { ApiError } from '../../contract/api/client.ts'
import { UserError } from '../../contract/api/faults.ts'
import type { Server, ServerAction, ServerTask, ServerVolume } from '../../contract/compute.ts'
import type { Node } from '../../contract/resources.ts'
import type { Platform } from '../platform.ts'
import { getNode } from '../store/nodes.ts'
import { withAction } from './action-log.ts'
import { bindPorts, makePorts, releasePorts, unbindPorts } from './cards.ts'
import { changed, changeServer } from './change-server.ts'
import { claimNode } from './claim.ts'
import { leavePlace, removeServer } from './counted.ts'
import { type Fence, fenced } from './fence.ts'
import { leaveNode } from './leave.ts'
import { bringVolumes, releaseVolumes } from './server-volumes.ts'
import { spawn } from './spawn.ts'
import { serverStore } from './store.ts'

/** A server's way, step by step: a node is claimed, its cards get the ports, the node is deployed; and back, whatever was reached. Each
 * step leaves the server with its next task in the table, whose change feed brings it here again. Every step may be taken twice. */

const MOST_NODES = 3
const ATTEMPTS = 20

/** `undefined`: the server waits for its node. */
type Next = Partial<Server> | 'gone' | 'overtaken' | undefined
type Step = (platform: Platform, server: Server, node: Node | undefined) => Promise<Next>

export async function reconcile(platform: Platform, uuid: string): Promise<void> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) if (await advance(platform, uuid)) return
  throw new Error(`server ${uuid} is being changed by many at once`) // comes again
}

/** False: somebody else came first, and it has to be looked at anew. */
async function advance(platform: Platform, uuid: string): Promise<boolean> {
  const server = await serverStore.get(platform.table, uuid)
  if (!server) return true
  const found = server.node === null ? undefined : await getNode(platform.table, server.node)
  const node = found?.instance_uuid === uuid ? found : undefined
  const fence = fenced(platform, server, node)
  const next = await nextOf(fence, server, node)
  if (next === 'overtaken') return false
  if (next === 'gone') return remove(platform, server)
  return next === undefined || serverStore.save(platform.table, server, changed(platform, server, next))
}

async function nextOf({ platform, isOvertaken }: Fence, server: Server, node: Node | undefined): Promise<Next> {
  try {
    return server.task === null
      ? await settled(platform, server, node)
      : await steps[server.task](platform, server, node)
  } catch (error) {
    if (isOvertaken()) return 'overtaken'
    if (!(error instanceof UserError || error instanceof ApiError)) throw error
    return failed(platform, server, error.message)
  }
}

const building: ServerTask[] = ['scheduling', 'networking', 'attaching', 'spawning', 'deploying', 'failing']

function failed(platform: Platform, server: Server, message: string): Next {
  platform.log.warn({ server: server.uuid, node: server.node, task: server.task, why: message }, 'server failed')
  const fault = { code: 500, message, created: platform.clock.now().toISOString() }
  if (server.task === 'failing' || server.task === 'deleting') return undefined // its node's next change, or the clock, brings it again
  if (server.task === 'plugging') return { task: 'unplugging', fault, volumes: turnedBack(server) }
  return building.includes(server.task as ServerTask) ? { task: 'failing', fault } : { task: null, fault }
}

const arrived = ({ volumes = [] }: Server): ServerVolume[] => volumes.map(({ moving: _moving, ...there }) => there)

/** What could not come goes; what was there before stays. */
const turnedBack = ({ volumes = [] }: Server): ServerVolume[] =>
  volumes.map((each) => (each.moving === 'in' ? { ...each, moving: 'out' } : each))

const steps: Record<ServerTask, Step> = {
  async scheduling(platform, server) {
    await makePorts(platform, server)
    const why = await claimNode(platform, server)
    // With a node, the claim has written the server too.
    if (why === undefined) return undefined
    return failed(platform, server, server.fault === null ? why : `${server.fault.message} And then: ${why}`)
  },
  async networking(platform, server, node) {
    if (!node) return failed(platform, server, 'Its node was taken from it.')
    await bindPorts(platform, server, node.uuid)
    return { task: server.volumes?.length ? 'attaching' : 'spawning' }
  },
  /** Its volumes' changes bring it here again. */
  async attaching(platform, server, node) {
    if (!node) return failed(platform, server, 'Its node was taken from it.')
    return (await bringVolumes(platform, server, node)) ? { task: 'spawning' } : undefined
  },
  async spawning(platform, server, node) {
    if (!node) return failed(platform, server, 'Its node was taken from it.')
    await spawn(platform, server, node)
    return { task: 'deploying' }
  },
  async deploying(platform, server, node) {
    if (!node) return failed(platform, server, 'Its node was taken from it.')
    if (node.provision_state === 'active')
      return {
        ...powered(node),
        task: null,
        state: 'active',
        fault: null,
        launched_at: platform.clock.now().toISOString(),
      }
    if (node.provision_state === 'deploy failed' || node.provision_state === 'error')
      return failed(platform, server, `Node ${node.name ?? node.uuid}: ${node.last_error ?? node.provision_state}`)
    return undefined
  },
  /** What it had is given back; then another node is looked for, unless that has been done often enough or was in vain. */
  async failing(platform, server, node) {
    if (!(await leaveNode(platform, server, node))) return undefined
    await releasePorts(platform, server)
    await releaseVolumes(platform, server, false)
    await leavePlace(platform, server)
    const tried = server.node === null ? server.tried : [...new Set([...server.tried, server.node])]
    const again = server.node !== null && tried.length < MOST_NODES
    return {
      node: null,
      site: null,
      power: null,
      tried,
      ...(again ? { task: 'scheduling' } : { task: null, state: 'error' }),
    }
  },
  async deleting(platform, server, node) {
    if (!(await leaveNode(platform, server, node))) return undefined
    await releasePorts(platform, server)
    await releaseVolumes(platform, server, true)
    return 'gone'
  },
  rebuilding: (platform, server, node) => steps.deploying(platform, server, node).then(keptAlive),
  rescuing: async (_, __, node) => reached(node, 'rescue', 'rescue failed', { state: 'rescued' }),
  unrescuing: async (_, __, node) => reached(node, 'active', 'unrescue failed', { state: 'active' }),
  rebooting: async (_, __, node) => powerReached(node),
  'rebooting hard': async (_, __, node) => powerReached(node),
  'powering off': async (_, __, node) => powerReached(node),
  'powering on': async (_, __, node) => powerReached(node),
  async plugging(platform, server, node) {
    if (!node) return failed(platform, server, 'Its node was taken from it.')
    if (!(await bringVolumes(platform, server, node))) return undefined
    return { task: null, volumes: arrived(server) }
  },
  async unplugging(platform, server) {
    const volumes = server.volumes ?? []
    const isLeaving = ({ moving }: ServerVolume): boolean => moving === 'out'
    await releaseVolumes(platform, { ...server, volumes: volumes.filter(isLeaving) }, false)
    return { task: null, volumes: volumes.filter((each) => !isLeaving(each)) }
  },
}

/** A rebuild that failed leaves the server on its node. */
function keptAlive(next: Next): Next {
  return typeof next === 'object' && next.task === 'failing' ? { ...next, task: null, state: 'error' } : next
}

const powered = ({ power_state: power }: Node): Pick<Server, 'power'> => ({
  power: power === 'power on' || power === 'power off' ? power : null,
})

function reached(node: Node | undefined, wanted: string, refused: string, then: Partial<Server>): Next {
  if (!node) return { task: null, state: 'error' }
  if (node.provision_state === wanted) return { ...powered(node), task: null, fault: null, ...then }
  return node.provision_state === refused
    ? {
        task: null,
        state: 'error',
        fault: { code: 500, message: node.last_error ?? refused, created: node.updated_at ?? node.created_at },
      }
    : undefined
}

function powerReached(node: Node | undefined): Next {
  if (!node) return { task: null, state: 'error' }
  if (node.target_power_state !== null || node.power_operation !== null) return undefined
  const fault = node.last_error
  return {
    ...powered(node),
    task: null,
    ...(fault === null ? {} : { fault: { code: 500, message: fault, created: node.updated_at ?? node.created_at } }),
  }
}

/** Nothing is being done to it: its power is its node's, and a node that was taken away leaves it broken, its cards and volumes free. */
async function settled(platform: Platform, server: Server, node: Node | undefined): Promise<Next> {
  if (server.node === null) return undefined
  if (!node) {
    await unbindPorts(platform, server)
    await releaseVolumes(platform, server, false)
    const fault = { code: 500, message: 'Its node was torn down.', created: server.updated_at ?? server.created_at }
    return {
      node: null,
      power: null,
      state: 'error',
      fault: server.state === 'error' ? (server.fault ?? fault) : fault,
    }
  }
  if (server.state === 'error') return undefined
  const { power } = powered(node)
  return power === server.power ? undefined : { power }
}

async function remove(platform: Platform, server: Server): Promise<boolean> {
  if (!(await removeServer(platform, server))) return false
  platform.log.info({ server: server.uuid }, 'server deleted')
  return true
}

/** Begins something with a server that rests. Undefined: something else is being done to it. */
export async function begin(
  platform: Platform,
  uuid: string,
  task: ServerTask,
  action: ServerAction,
  more: Partial<Server> = {},
): Promise<Server | undefined> {
  const after = await changeServer(platform, uuid, (server) =>
    server.task === null ? { ...more, task, fault: null, actions: withAction(server, action) } : undefined,
  )
  return after?.task === task ? after : undefined
}
