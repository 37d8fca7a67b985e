import { UserError } from '../../contract/api/faults.ts'
import type { Server, ServerTask } from '../../contract/compute.ts'
import { ApiError } from '../../contract/api/client.ts'
import { readJson } from '../api/body.ts'
import { entryOf } from '../image-service/sight.ts'
import type { Call, Ground, Service } from '../openstack/context.ts'
import { baremetalOf } from './baremetal.ts'
import { isTheirs, requireAdmin } from '../openstack/rights.ts'
import { changeServer } from './change-server.ts'
import { imageFor } from './create.ts'
import { keypairOf } from './keypairs.ts'
import { changesOf, requireHostnames } from './naming.ts'
import { PATH } from './path.ts'
import { begin } from './reconcile.ts'
import { actionOf, withAction } from './action-log.ts'
import { type Action, actions, refusals } from './server-input.ts'
import { consoleOutput, consoleUrl } from './server-console.ts'
import { statusOf } from './server-view.ts'
import { changeable, ownNode, requireUnlocked, shown } from './servers.ts'
import { configDrive, instanceInfo } from './spawn.ts'

/** POST /servers/{id}/action. The node is told first, so that the server's task ends when the node has got there. */
export function actionRoutes(app: Service, ground: Ground): void {
  app.post(`${PATH}/servers/:server/action`, async (call) => {
    const body = (await readJson(call)) as Record<string, unknown> | undefined
    const name = Object.keys(body ?? {})[0] ?? ''
    const refusal = Object.hasOwn(refusals, name) ? refusals[name] : undefined
    if (refusal !== undefined) {
      const { uuid } = await changeable(call, ground, call.req.param('server'), name)
      throw new UserError(400, `Cannot '${name}' instance ${uuid}: ${refusal}.`)
    }
    if (!Object.hasOwn(actions, name) || Object.keys(body ?? {}).length !== 1)
      throw new UserError(
        400,
        `There is no such action: ${name.slice(0, 64)}. There is: ${Object.keys(actions).join(', ')}.`,
      )
    const server = await changeable(call, ground, call.req.param('server'), name)
    if (!harmless.has(name)) requireUnlocked(call, server)
    return run(call, ground, server, name as Action, body?.[name])
  })
}

/** Done to a locked server too. */
const harmless = new Set(['lock', 'unlock', 'os-getConsoleOutput', 'os-getSerialConsole', 'os-resetState'])

async function run(call: Call, ground: Ground, server: Server, name: Action, given: unknown): Promise<Response> {
  const { clock } = ground
  const done = (changes: Partial<Server>) =>
    changeServer(ground, server.uuid, (now) => ({
      ...changes,
      actions: withAction(now, actionOf(call, name, clock.now(), true)),
    }))
  switch (name) {
    case 'lock': {
      const { locked_reason = null } = actions.lock.parse(given) ?? {}
      const theirs = isTheirs(call, server)
      // As in Nova, its project doesn't change a lock that is there.
      if (!server.locked || !theirs)
        await done({ locked: true, locked_reason, locked_by: theirs ? undefined : 'admin' })
      return call.body(null, 202)
    }
    case 'unlock':
      if (server.locked_by === 'admin') requireAdmin(call, 'os_compute_api:os-lock-server:unlock:unlock_override')
      await done({ locked: false, locked_reason: null, locked_by: undefined })
      return call.body(null, 202)
    case 'os-getConsoleOutput': {
      const { length } = actions['os-getConsoleOutput'].parse(given)
      const lines = length === null || length === undefined || length < 0 ? undefined : length
      return call.json({ output: await consoleOutput(ground, server, lines) })
    }
    case 'os-getSerialConsole':
      return call.json({ console: consoleUrl(call, server, actions['os-getSerialConsole'].parse(given).type) })
    case 'addSecurityGroup':
    case 'removeSecurityGroup':
      // Nothing at a site enforces them, so that there is nothing to be changed: see docs/openstack.md.
      actions[name].parse(given)
      return call.body(null, 202)
    case 'os-resetState': {
      requireAdmin(call, 'os_compute_api:os-admin-actions:reset_state')
      if (server.task !== null) throw notNow(server, name)
      const { state } = actions['os-resetState'].parse(given)
      if (state === 'active' && server.node === null) throw new UserError(409, `Instance ${server.uuid} has no node.`)
      await done({ state })
      return call.body(null, 202)
    }
    default:
      return onNode(call, ground, server, name, given)
  }
}

async function onNode(call: Call, ground: Ground, server: Server, name: Action, given: unknown): Promise<Response> {
  const { log, clock } = ground
  const node = await nodeOf(ground, server, name)
  const { nodes } = baremetalOf(ground)
  const take = async (task: ServerTask, more: Partial<Server> = {}): Promise<Server> => {
    const begun = await begin(ground, server.uuid, task, actionOf(call, logName(name), clock.now()), more)
    if (!begun) throw notNow(server, name)
    log.info({ server: server.uuid, node, action: name, user: call.var.caller.user?.id }, 'server action')
    return begun
  }
  const told = async (doing: Promise<void>): Promise<void> => {
    await doing.catch((error: unknown) => {
      throw error instanceof ApiError ? new UserError(error.status === 409 ? 409 : 400, error.message) : error
    })
  }
  switch (name) {
    case 'reboot': {
      const { type } = actions.reboot.parse(given)
      await told(nodes.power(node, type === 'SOFT' ? 'soft rebooting' : 'rebooting'))
      await take(type === 'SOFT' ? 'rebooting' : 'rebooting hard')
      return call.body(null, 202)
    }
    case 'os-stop':
      await told(nodes.power(node, 'soft power off'))
      await take('powering off')
      return call.body(null, 202)
    case 'os-start':
      await told(nodes.power(node, 'power on'))
      await take('powering on')
      return call.body(null, 202)
    case 'rescue': {
      const { adminPass = ground.ids.token(9), rescue_image_ref: image } = actions.rescue.parse(given) ?? {}
      // What is not there is refused, and what is there not used: as with Nova's driver, a machine starts its node's rescue ramdisk.
      if (image !== undefined)
        await entryOf(call, ground, image).catch(() => {
          throw new UserError(400, `Image ${image} could not be found, or may not be used to rescue a server.`)
        })
      await told(nodes.provision(node, 'rescue', { rescue_password: adminPass }))
      await take('rescuing')
      return call.json({ adminPass })
    }
    case 'unrescue':
      await told(nodes.provision(node, 'unrescue'))
      await take('unrescuing')
      return call.body(null, 202)
    case 'trigger_crash_dump':
      await told(nodes.injectNmi(node))
      return call.body(null, 202)
    default:
      return rebuild(call, ground, server, given, { told, take })
  }
}

/** As Nova's log has it. */
const logName = (name: Action): string => name.replace(/^os-/, '')

interface Doing {
  told(doing: Promise<void>): Promise<void>
  take(task: ServerTask, more?: Partial<Server>): Promise<Server>
}

async function rebuild(
  call: Call,
  ground: Ground,
  server: Server,
  given: unknown,
  { told, take }: Doing,
): Promise<Response> {
  const asked = actions.rebuild.parse(given)
  requireHostnames(call, asked)
  if (server.image === '')
    throw new UserError(
      400,
      `Image ${asked.imageRef} is unacceptable: bare metal doesn't support rebuilding volume-backed servers: make another volume of it, and another server.`,
    )
  const node = await nodeOf(ground, server, 'rebuild')
  const { nodes } = baremetalOf(ground)
  const key = asked.key_name
    ? await keypairOf(ground, { user: server.user_id, name: asked.key_name }).then(({ name, public_key }) => ({
        name,
        public_key,
      }))
    : server.key
  const changes: Partial<Server> = {
    image: await imageFor(call, ground, asked.imageRef, server.flavor),
    key: asked.key_name === null ? null : key,
    ...changesOf(asked),
    ...(asked.metadata === undefined ? {} : { metadata: asked.metadata }),
    ...(asked.user_data === undefined ? {} : { user_data: asked.user_data ?? null }),
  }
  const anew = { ...server, ...changes }
  await told(
    nodes.patch(node, [{ op: 'replace', path: '/instance_info', value: instanceInfo(anew) }]).then(() => undefined),
  )
  await told(nodes.provision(node, 'rebuild', { configdrive: await configDrive(ground, anew) }))
  const begun = await take('rebuilding', changes)
  return call.json({ server: await shown(call, ground, begun) }, 202)
}

/** The states in which each makes sense, as Nova has it. */
const allowed: Partial<Record<Action, string[]>> = {
  trigger_crash_dump: ['ACTIVE', 'RESCUE', 'ERROR'],
  reboot: ['ACTIVE', 'SHUTOFF', 'ERROR', 'RESCUE'],
  'os-start': ['SHUTOFF'],
  'os-stop': ['ACTIVE', 'ERROR'],
  rescue: ['ACTIVE', 'SHUTOFF'],
  unrescue: ['RESCUE'],
  rebuild: ['ACTIVE', 'SHUTOFF', 'ERROR'],
}

async function nodeOf(ground: Ground, server: Server, name: Action): Promise<string> {
  const isAllowed = allowed[name]?.includes(statusOf(server)) ?? true
  if (server.task !== null || !isAllowed) throw notNow(server, name)
  return ownNode(ground, server)
}

function notNow(server: Server, name: Action): UserError {
  const inState = server.task === null ? `vm_state ${statusOf(server)}` : `task_state ${server.task}`
  return new UserError(409, `Cannot '${name}' instance ${server.uuid} while it is in ${inState}`)
}
