import { z } from 'zod'
import { UserError } from '../../contract/api/faults.ts'
import { type BootVolume, chapWord, iscsiName, iscsiPortal } from '../../contract/boot-volume.ts'
import type { Node } from '../../contract/resources.ts'
import { sealed } from '../../contract/seal.ts'
import type { VolumeConnector, VolumeTarget } from '../../contract/volume.ts'
import type { Table } from '../platform.ts'
import { all } from '../store/paging.ts'
import { connectorList, targetList } from '../store/volumes.ts'

/** Storage interfaces whose nodes may boot from a volume (reference §3): `cinder` has its targets from the volume service, `external` from people. */
const withVolumes: ReadonlySet<string> = new Set(['cinder', 'external'])

/** What os-brick calls them, as Cinder writes them on a target. */
const properties = z.looseObject({
  target_iqn: iscsiName,
  target_portal: iscsiPortal,
  target_lun: z.coerce.number().int().min(0).max(16_383).default(0),
  auth_method: z.string().nullish(),
  auth_username: chapWord.nullish(),
  auth_password: sealed.nullish(),
  attachment_id: z.uuid().nullish(),
})

type Bootable = Pick<Node, 'uuid' | 'storage_interface' | 'properties'>

/** The node's volume with boot index 0. Undefined: it boots from a disk of its own. UserError: what is wrong with it. */
export async function bootVolumeOf(table: Table, node: Bootable): Promise<BootVolume | undefined> {
  if (!withVolumes.has(node.storage_interface ?? '')) return undefined
  const targets = await all<VolumeTarget>(table, targetList(node.uuid))
  const target = targets.find(({ boot_index }) => boot_index === 0)
  if (!target) return undefined
  if (target.volume_type !== 'iscsi')
    throw new UserError(400, `Volume target ${target.uuid} is ${target.volume_type}: machines boot from iscsi.`)
  if (!isCapable(node.properties['capabilities']))
    throw new UserError(
      400,
      "The node's properties/capabilities lack iscsi_boot:true: its volume can't be booted from.",
    )
  const connectors = await all<VolumeConnector>(table, connectorList(node.uuid))
  const connector = connectors.find(({ type }) => type === 'iqn')
  const initiator = iscsiName.safeParse(connector?.connector_id)
  if (!initiator.success)
    throw new UserError(400, 'The node has no volume connector of type iqn, by which its volume would know it.')
  const read = properties.safeParse(target.properties)
  if (!read.success) {
    const { path = [], message = '' } = read.error.issues[0] ?? {}
    throw new UserError(400, `Volume target ${target.uuid}: properties/${path.join('/')}: ${message}`)
  }
  return { initiator: initiator.data, ...locationOf(read.data), chap: chapOf(node, target, read.data) }
}

type Read = z.infer<typeof properties>

const locationOf = ({ target_portal: portal, target_iqn: iqn, target_lun: lun }: Read) => ({ portal, iqn, lun })

function chapOf(node: Bootable, { uuid, volume_id }: VolumeTarget, given: Read): BootVolume['chap'] {
  const { auth_username: user, auth_password: secret, attachment_id: attachment, auth_method: method } = given
  if (!user && !secret) return null
  if (!user || !secret || (method && method !== 'CHAP'))
    throw new UserError(400, `Volume target ${uuid}: CHAP needs properties/auth_username and auth_password.`)
  return { user, secret, bind: attachment ? `${volume_id}/${attachment}` : targetBind(node.uuid) }
}

/** What the secret of a target is sealed for that people wrote. */
export const targetBind = (node: string): string => `${node}/auth_password`

/** `a:b,iscsi_boot:true`, as Ironic has capabilities. */
function isCapable(capabilities: unknown): boolean {
  return typeof capabilities === 'string' && /(^|,)\s*iscsi_boot:\s*true\s*(,|$)/i.test(capabilities)
}
