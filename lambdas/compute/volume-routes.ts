import { z } from 'zod'
import { MOST_DATA_VOLUMES } from '../../contract/boot-volume.ts'
import type { Server, ServerVolume } from '../../contract/compute.ts'
import { UserError } from '../../contract/api/faults.ts'
import { readJson } from '../api/body.ts'
import { whyNoVolumes } from '../conductor/boot-volume.ts'
import type { Call, Ground, Service } from '../openstack/context.ts'
import { getNode } from '../store/nodes.ts'
import { changeableVolume } from '../volume/find.ts'
import { actionOf, withAction } from './action-log.ts'
import { changeServer } from './change-server.ts'
import { PATH } from './path.ts'
import { statusOf } from './server-view.ts'
import { changeable, requireUnlocked, serverOf } from './servers.ts'

/** What volumes a server has, and such as it gets or loses while it is switched off: no hypervisor could plug one into a machine that runs, which
 * finds them when it starts (docs/decisions/0028). */

const wish = z.object({
  volumeAttachment: z.looseObject({ volumeId: z.uuid(), delete_on_termination: z.boolean().optional() }),
})

export function volumeAttachmentRoutes(app: Service, ground: Ground): void {
  const path = `${PATH}/servers/:server/os-volume_attachments`
  app.get(path, async (call) => {
    const server = await serverOf(call, ground, call.req.param('server'))
    return call.json({ volumeAttachments: volumesOf(server).map((each) => view(server, each, call.var.minor)) })
  })
  app.get(`${path}/:volume`, async (call) => {
    const server = await serverOf(call, ground, call.req.param('server'))
    return call.json({ volumeAttachment: view(server, named(server, call.req.param('volume')), call.var.minor) })
  })
  app.post(path, async (call) => {
    const { volumeId, delete_on_termination = false } = wish.parse(await readJson(call)).volumeAttachment
    const server = await switchedOff(call, ground, 'attach_volume')
    const after = await plugged(call, ground, server, volumeId, delete_on_termination)
    return call.json({ volumeAttachment: view(after, named(after, volumeId), call.var.minor) })
  })
  app.put(`${path}/:volume`, async (call) => {
    const { volumeId, delete_on_termination } = wish.parse(await readJson(call)).volumeAttachment
    const server = await changeable(call, ground, call.req.param('server'), 'os-volumes-attachments:update')
    const { volume } = named(server, call.req.param('volume'))
    if (volumeId !== volume)
      throw new UserError(409, 'No hypervisor copies one volume onto another: remove the one, and add the other.')
    if (delete_on_termination !== undefined)
      await changeServer(ground, server.uuid, (now) => ({
        volumes: volumesOf(now).map((each) => (each.volume === volume ? { ...each, delete_on_termination } : each)),
      }))
    return call.body(null, 202)
  })
  app.delete(`${path}/:volume`, async (call) => {
    const own = await changeable(call, ground, call.req.param('server'), 'os-volumes-attachments:delete')
    const { volume, boot_index: index } = named(own, call.req.param('volume'))
    if (index === 0) throw new UserError(400, 'Cannot detach a root device volume')
    const server = await switchedOff(call, ground, 'detach_volume')
    await moving(call, ground, server, 'unplugging', 'detach_volume', (now) =>
      volumesOf(now).map((each) => (each.volume === volume ? { ...each, moving: 'out' } : each)),
    )
    return call.body(null, 202)
  })
}

const volumesOf = ({ volumes }: Server): ServerVolume[] => volumes ?? []

function named(server: Server, id: string): ServerVolume {
  const found = volumesOf(server).find(({ volume }) => volume === id)
  if (!found) throw new UserError(404, `Instance ${server.uuid} is not attached to volume ${id.slice(0, 64)}`)
  return found
}

async function switchedOff(call: Call, ground: Ground, what: string): Promise<Server> {
  const server = await changeable(call, ground, call.req.param('server') ?? '', `os-volumes-attachments:${what}`)
  requireUnlocked(call, server)
  if (server.task !== null || server.node === null || statusOf(server) !== 'SHUTOFF') throw busy(server, what)
  return server
}

function busy(server: Server, what: string): UserError {
  const inState = server.task === null ? `vm_state ${statusOf(server).toLowerCase()}` : `task_state ${server.task}`
  const remedy = 'a machine without a hypervisor finds its volumes when it starts: stop it first'
  return new UserError(409, `Cannot '${what}' instance ${server.uuid} while it is in ${inState}: ${remedy}.`)
}

/** What the server's own step does from here on would say it too, when nobody hears it any more. */
async function plugged(
  call: Call,
  ground: Ground,
  server: Server,
  uuid: string,
  delete_on_termination: boolean,
): Promise<Server> {
  const volume = await changeableVolume(call, ground, uuid, 'attachment_create')
  if (volume.status !== 'available')
    throw new UserError(
      400,
      `Invalid volume: volume ${uuid} status must be available, but is ${volume.status}: it is one machine's at a time.`,
    )
  const node = await getNode(ground.table, server.node ?? '')
  if (!node) throw busy(server, 'attach_volume')
  if (volume.availability_zone !== null && volume.availability_zone !== node.conductor_group)
    throw new UserError(400, `Volume ${uuid} is at ${volume.availability_zone}, and the server at ${server.site}.`)
  const booted = volumesOf(server).filter(({ boot_index: index }) => index === 0).length
  const refusal =
    node.storage_interface === 'cinder'
      ? whyNoVolumes(node, { booted, data: volumesOf(server).length - booted + 1 })
      : `Its node has storage interface ${node.storage_interface}, and none but cinder has volumes.`
  if (refusal !== undefined) throw new UserError(409, refusal)
  const attachment = ground.ids.uuid()
  return moving(call, ground, server, 'plugging', 'attach_volume', (now) => {
    const taken = volumesOf(now).map(({ boot_index: index }) => index)
    const boot_index = Array.from({ length: MOST_DATA_VOLUMES }, (_, index) => index + 1).find(
      (each) => !taken.includes(each),
    )
    if (boot_index === undefined) throw busy(now, 'attach_volume')
    const each = { volume: uuid, attachment, boot_index, made: null, delete_on_termination, moving: 'in' as const }
    return [...volumesOf(now), each]
  })
}

async function moving(
  call: Call,
  ground: Ground,
  server: Server,
  task: 'plugging' | 'unplugging',
  what: string,
  volumes: (now: Server) => ServerVolume[],
): Promise<Server> {
  const action = actionOf(call, what, ground.clock.now())
  const after = await changeServer(ground, server.uuid, (now) => {
    if (now.task !== null || statusOf(now) !== 'SHUTOFF' || now.node !== server.node) throw busy(now, what)
    return { task, fault: null, volumes: volumes(now), actions: withAction(now, action) }
  })
  if (!after) throw new UserError(404, `Instance ${server.uuid} could not be found.`)
  ground.log.info({ server: server.uuid, task, user: call.var.caller.user?.id }, 'server action')
  return after
}

function view({ uuid: server }: Server, each: ServerVolume, minor: number) {
  const { volume, attachment, delete_on_termination, boot_index: index } = each
  return {
    volumeId: volume,
    serverId: server,
    // What a system calls it is its own affair: it is the disk of that place among those of the firmware.
    device: `/dev/sd${String.fromCodePoint(97 + index)}`,
    ...(minor < 89 ? { id: volume } : { attachment_id: attachment, bdm_uuid: attachment }),
    ...(minor >= 70 ? { tag: null } : {}),
    ...(minor >= 79 ? { delete_on_termination } : {}),
  }
}
