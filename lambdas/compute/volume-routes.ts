import type { Server, ServerVolume } from '../../contract/compute.ts'
import { UserError } from '../../contract/api/faults.ts'
import type { Ground, Service } from '../openstack/context.ts'
import { PATH } from './path.ts'
import { serverOf } from './servers.ts'

/** What volumes a server has. No hypervisor could plug one into a machine that runs, or out of it. */
export function volumeAttachmentRoutes(app: Service, ground: Ground): void {
  const path = `${PATH}/servers/:server/os-volume_attachments`
  app.get(path, async (call) => {
    const server = await serverOf(call, ground, call.req.param('server'))
    return call.json({ volumeAttachments: volumesOf(server).map((each) => view(server, each, call.var.minor)) })
  })
  app.get(`${path}/:volume`, async (call) => {
    const server = await serverOf(call, ground, call.req.param('server'))
    const id = call.req.param('volume')
    const found = volumesOf(server).find(({ volume }) => volume === id)
    if (!found) throw new UserError(404, `Volume ${id.slice(0, 64)} is not attached to server ${server.uuid}.`)
    return call.json({ volumeAttachment: view(server, found, call.var.minor) })
  })
  const refuse = (): never => {
    throw new UserError(
      501,
      'A machine without a hypervisor has the volume that it was made with (server create --volume); one that runs logs in to others by itself: volume attachment create --connect.',
    )
  }
  app.post(path, refuse)
  app.put(`${path}/:volume`, refuse)
  app.delete(`${path}/:volume`, refuse)
}

const volumesOf = ({ volumes }: Server): ServerVolume[] => volumes ?? []

function view({ uuid: server }: Server, { volume, attachment, delete_on_termination }: ServerVolume, minor: number) {
  return {
    volumeId: volume,
    serverId: server,
    device: '/dev/sda',
    ...(minor < 89 ? { id: volume } : { attachment_id: attachment, bdm_uuid: attachment }),
    ...(minor >= 70 ? { tag: null } : {}),
    ...(minor >= 79 ? { delete_on_termination } : {}),
  }
}
