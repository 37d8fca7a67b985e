import { UserError } from '../../contract/api/faults.ts'
import type { Server, ServerTask } from '../../contract/compute.ts'
import { ApiError } from '../../contract/api/client.ts'
import { readJson } from '../api/body.ts'
import type { Call, Ground, Service } from '../openstack/context.ts'
import { baremetalOf } from './baremetal.ts'
import { changeServer } from './change-server.ts'
import { imageFor } from './create.ts'
import { keypairOf } from './keypairs.ts'
import { PATH } from './path.ts'
import { begin } from './reconcile.ts'
import { type Action, actions } from './server-input.ts'
import { statusOf } from './server-view.ts'
import { changeable, requireUnlocked } from './servers.ts'
import { configDrive, instanceInfo } from './spawn.ts'

/** POST /servers/{id}/action. The node is told first, so that the server's task ends when the node has got there. */
export function actionRoutes(app: Service, ground: Ground): void {
  app.post(`${PATH}/servers/:server/action`, async (call) => {
    const body = (await readJson(call)) as Record<string, unknown> | undefined
    const name = Object.keys(body ?? {})[0] ?? ''
    if (!Object.hasOwn(actions, name) || Object.keys(body ?? {}).length !== 1)
      throw new UserError(
        400,
        `There is no such action: ${name.slice(0, 64)}. There is: ${Object.keys(actions).join(', ')}.`,
      )
    const server = await changeable(call, ground, call.req.param('server'), name)
    if (name !== 'unlock' && name !== 'lock') requireUnlocked(call, server)
    return run(call, ground, server, name as Action, body?.[name])
  })
}

async function run(call: Call, ground: Ground, server: Server, name: Action, given: unknown): Promise<Response> {
  const { log } = ground
  if (name === 'lock' || name === 'unlock') {
    await changeServer(ground, server.uuid, () => ({ locked: name === 'lock' }))
    return call.body(null, 202)
  }
  const node = nodeOf(server, name)
  const { nodes } = baremetalOf(ground)
  const take = async (task: ServerTask, more: Partial<Server> = {}): Promise<Server> => {
    const begun = await begin(ground, server.uuid, task, more)
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
      const adminPass = actions.rescue.parse(given)?.adminPass ?? ground.ids.token(9)
      await told(nodes.provision(node, 'rescue', { rescue_password: adminPass }))
      await take('rescuing')
      return call.json({ adminPass })
    }
    case 'unrescue':
      await told(nodes.provision(node, 'unrescue'))
      await take('unrescuing')
      return call.body(null, 202)
    case 'rebuild':
      return rebuild(call, ground, server, given, { told, take })
  }
}

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
  const node = nodeOf(server, 'rebuild')
  const { nodes } = baremetalOf(ground)
  const key = asked.key_name
    ? await keypairOf(ground, { user: server.user_id, name: asked.key_name }).then(({ name, public_key }) => ({
        name,
        public_key,
      }))
    : server.key
  const changes: Partial<Server> = {
    image: await imageFor(ground, asked.imageRef),
    key: asked.key_name === null ? null : key,
    ...(asked.name === undefined ? {} : { name: asked.name }),
    ...(asked.metadata === undefined ? {} : { metadata: asked.metadata }),
    ...(asked.user_data === undefined ? {} : { user_data: asked.user_data ?? null }),
  }
  const anew = { ...server, ...changes }
  await told(
    nodes.patch(node, [{ op: 'replace', path: '/instance_info', value: instanceInfo(anew) }]).then(() => undefined),
  )
  await told(nodes.provision(node, 'rebuild', { configdrive: await configDrive(ground, anew) }))
  const begun = await take('rebuilding', changes)
  return call.json({ server: { id: begun.uuid, name: begun.name, status: 'REBUILD' } }, 202)
}

/** The states in which each makes sense, as Nova has it. */
const allowed: Partial<Record<Action, string[]>> = {
  reboot: ['ACTIVE', 'SHUTOFF', 'ERROR', 'RESCUE'],
  'os-start': ['SHUTOFF'],
  'os-stop': ['ACTIVE', 'ERROR'],
  rescue: ['ACTIVE', 'SHUTOFF'],
  unrescue: ['RESCUE'],
  rebuild: ['ACTIVE', 'SHUTOFF', 'ERROR'],
}

function nodeOf(server: Server, name: Action): string {
  const isAllowed = allowed[name]?.includes(statusOf(server)) ?? true
  if (server.node === null || server.task !== null || !isAllowed) throw notNow(server, name)
  return server.node
}

function notNow(server: Server, name: Action): UserError {
  const inState = server.task === null ? `vm_state ${statusOf(server)}` : `task_state ${server.task}`
  return new UserError(409, `Cannot '${name}' instance ${server.uuid} while it is in ${inState}`)
}
