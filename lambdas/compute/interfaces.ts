import { isIP } from 'node:net'
import { z } from 'zod'
import { UserError } from '../../contract/api/faults.ts'
import type { Nic, Server } from '../../contract/compute.ts'
import type { NetworkPort } from '../../contract/network.ts'
import { readJson } from '../api/body.ts'
import { requireSwitchAtRest } from '../network/switched.ts'
import { getNode } from '../store/nodes.ts'
import type { Call, Ground, Service } from '../openstack/context.ts'
import { actionOf, withAction } from './action-log.ts'
import { bindPorts, makePorts, releasePorts } from './cards.ts'
import { changeServer } from './change-server.ts'
import { nicsFor } from './create.ts'
import { PATH } from './path.ts'
import { changeable, portsOfServer, requireUnlocked, serverOf } from './servers.ts'
import { serverStore } from './store.ts'

const MOST_NICS = 8
const ip = z.string().refine((text) => isIP(text) !== 0, 'not an IP address')
const attachment = z.object({
  interfaceAttachment: z
    .looseObject({
      port_id: z.uuid().optional(),
      net_id: z.uuid().optional(),
      fixed_ips: z
        .array(z.strictObject({ ip_address: ip }))
        .max(1)
        .optional(),
    })
    .default({}),
})

/** Ports that a server has, and such as it gets or loses while it lives: each has a card of its node to itself. */
export function interfaceRoutes(app: Service, ground: Ground): void {
  const path = `${PATH}/servers/:server/os-interface`
  const ports = async (call: Call): Promise<NetworkPort[]> => {
    return portsOfServer(ground.table, await serverOf(call, ground, call.req.param('server') ?? ''))
  }
  app.get(path, async (call) => call.json({ interfaceAttachments: (await ports(call)).map(view) }))
  app.get(`${path}/:port`, async (call) => {
    const port = (await ports(call)).find(({ uuid }) => uuid === call.req.param('port'))
    if (!port) throw new UserError(404, `No instances found for port ${call.req.param('port')}.`)
    return call.json({ interfaceAttachment: view(port) })
  })
  app.post(path, async (call) => {
    const server = await rested(call, ground, 'create')
    const { port_id: port, net_id: uuid, fixed_ips: ips } = attachment.parse(await readJson(call)).interfaceAttachment
    if (port !== undefined && (uuid !== undefined || ips !== undefined))
      throw new UserError(400, 'A port has its network and its addresses: give port_id alone, or net_id.')
    const fixed_ip = ips?.[0]?.ip_address
    const asked = port === undefined ? (uuid === undefined ? 'auto' : [{ uuid, fixed_ip }]) : [{ port }]
    const [nic] = await nicsFor(call, ground, asked, 1)
    if (!nic) throw new UserError(400, 'There is no network: say which with net_id.')
    return call.json({ interfaceAttachment: view(await attach(call, ground, server, nic)) })
  })
  app.delete(`${path}/:port`, async (call) => {
    const server = await rested(call, ground, 'delete')
    const nic = server.nics.find((each) => each.port === call.req.param('port'))
    if (!nic) throw new UserError(404, `Port ${call.req.param('port')} is not attached to instance ${server.uuid}.`)
    await releasePorts(ground, { ...server, nics: [nic] })
    await without(ground, server, nic, (now) => ({
      actions: withAction(now, actionOf(call, 'detach_interface', ground.clock.now(), true)),
    }))
    return call.body(null, 202)
  })
}

/** It is the server's first, so that whoever deletes the server gives it back, however far we got. */
async function attach(call: Call, ground: Ground, server: Server, nic: Nic): Promise<NetworkPort> {
  const { uuid, node } = server
  const only = { ...server, nics: [nic] }
  await changeServer(ground, uuid, (now) => {
    if (now.task !== null || now.node !== node) throw busy(now)
    if (now.nics.length >= MOST_NICS) throw new UserError(403, `Instance ${uuid} has ${MOST_NICS} ports already.`)
    return {
      nics: [...now.nics, nic],
      actions: withAction(now, actionOf(call, 'attach_interface', ground.clock.now(), true)),
    }
  })
  try {
    await makePorts(ground, only)
    await bindPorts(ground, only, node ?? '')
    const now = await serverStore.get(ground.table, uuid)
    if (now?.node !== node || now?.task === 'deleting') throw busy(server)
    const [port] = await portsOfServer(ground.table, only)
    if (!port) throw new UserError(409, `Port ${nic.port} was taken away meanwhile.`)
    return port
  } catch (error) {
    await releasePorts(ground, only)
    await without(ground, server, nic)
    throw error
  }
}

async function without(
  ground: Ground,
  { uuid }: Server,
  nic: Nic,
  more: (now: Server) => Partial<Server> = () => ({}),
): Promise<void> {
  await changeServer(ground, uuid, (now) => ({ nics: now.nics.filter(({ port }) => port !== nic.port), ...more(now) }))
}

/** A server that has a node, and to which nothing is being done. */
async function rested(call: Call, ground: Ground, what: string): Promise<Server> {
  const server = await changeable(call, ground, call.req.param('server') ?? '', `os-attach-interfaces:${what}`)
  requireUnlocked(call, server)
  if (server.node === null || server.task !== null) throw busy(server)
  const node = await getNode(ground.table, server.node)
  if (node) requireSwitchAtRest(node, `The interfaces of instance ${server.uuid}`)
  return server
}

const busy = ({ uuid, task, state }: Server): UserError =>
  new UserError(
    409,
    `Cannot change the interfaces of instance ${uuid} while it is in ${task ? `task_state ${task}` : `vm_state ${state}`}`,
  )

function view({ uuid, network_uuid, mac_address, fixed_ips, bound }: NetworkPort) {
  return {
    port_id: uuid,
    net_id: network_uuid,
    mac_addr: mac_address,
    port_state: bound ? 'ACTIVE' : 'DOWN',
    fixed_ips: fixed_ips.map(({ subnet_uuid, ip_address }) => ({ subnet_id: subnet_uuid, ip_address })),
    tag: null,
  }
}
