import { z } from 'zod'
import { UserError } from '../../contract/api/faults.ts'
import { type BootVolume, chapWord, iscsiName, iscsiPortal, MOST_DATA_VOLUMES } from '../../contract/boot-volume.ts'
import type { Machine } from '../../contract/plan.ts'
import type { Node } from '../../contract/resources.ts'
import { sealed } from '../../contract/seal.ts'
import type { VolumeConnector, VolumeTarget } from '../../contract/volume.ts'
import type { Table } from '../platform.ts'
import { all } from '../store/paging.ts'
import { connectorList, targetList } from '../store/volumes.ts'
import { bootMode } from './boot-mode.ts'

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

type Bootable = Pick<Node, 'uuid' | 'storage_interface' | 'properties' | 'instance_info'>

/** As a plan's machine has them. */
export type NodeVolumes = Required<Pick<Machine, 'data_volumes'>> & Pick<Machine, 'boot_volume'>

/** The node's volumes, each a target: that with boot index 0 is booted from. Undefined: such nodes have none. UserError: what is wrong with one. */
export async function volumesOf(table: Table, node: Bootable): Promise<NodeVolumes | undefined> {
  if (!withVolumes.has(node.storage_interface ?? '')) return undefined
  const targets = (await all<VolumeTarget>(table, targetList(node.uuid)))
    // Others it finds by itself, as those of Fibre Channel.
    .filter(({ volume_type: type, boot_index: index }) => type === 'iscsi' || index === 0)
    .toSorted((a, b) => a.boot_index - b.boot_index)
  if (targets.length === 0) return { data_volumes: [] }
  const booted = targets.filter(({ boot_index: index }) => index === 0).length
  const refusal = whyNoVolumes(node, { booted, data: targets.length - booted })
  if (refusal !== undefined) throw new UserError(400, refusal)
  const connectors = await all<VolumeConnector>(table, connectorList(node.uuid))
  const connector = connectors.find(({ type }) => type === 'iqn')
  const initiator = iscsiName.safeParse(connector?.connector_id)
  if (!initiator.success)
    throw new UserError(400, 'The node has no volume connector of type iqn, by which its volume would know it.')
  const volumes = targets.map((target) => ({ index: target.boot_index, ...read(node, target, initiator.data) }))
  const data = volumes.filter(({ index }) => index !== 0)
  const strip = ({ index: _index, ...volume }: (typeof volumes)[number]): BootVolume => volume
  const first = volumes.find(({ index }) => index === 0)
  return { ...(first && { boot_volume: strip(first) }), data_volumes: data.map(strip) }
}

/** The one that it boots from. Undefined: a disk of its own. */
export async function bootVolumeOf(table: Table, node: Bootable): Promise<BootVolume | undefined> {
  return (await volumesOf(table, node))?.boot_volume
}

/** What it would have: `booted` of them are booted from, `data` are beside what is. Where none is booted from, iPXE has to go on to the machine's disk,
 * and can by BIOS's services only; there it keeps 768 bytes for what it tells the system (its XBFTAB_SIZE), which is one volume's words. */
export function whyNoVolumes(
  node: Pick<Bootable, 'properties' | 'instance_info'>,
  { booted, data }: { booted: number; data: number },
): string | undefined {
  if (!isCapable(node.properties['capabilities']))
    return "The node's properties/capabilities lack iscsi_boot:true: iPXE hooks no volumes in for it."
  const mode = bootMode(node)
  if (mode === 'uefi' && booted === 0)
    return 'The node boots by UEFI from its own disk: there it gets no volumes beside it, but beside a volume that it boots from.'
  if (mode === 'bios' && booted + data > 1)
    return 'The node boots by BIOS, and has one volume at most: there is no room to tell its system of more.'
  if (data > MOST_DATA_VOLUMES) return `The node has at most ${MOST_DATA_VOLUMES} volumes beside what it boots from.`
  return undefined
}

function read(node: Bootable, target: VolumeTarget, initiator: string): BootVolume {
  if (target.volume_type !== 'iscsi')
    throw new UserError(400, `Volume target ${target.uuid} is ${target.volume_type}: machines boot from iscsi.`)
  const given = properties.safeParse(target.properties)
  if (!given.success) {
    const { path = [], message = '' } = given.error.issues[0] ?? {}
    throw new UserError(400, `Volume target ${target.uuid}: properties/${path.join('/')}: ${message}`)
  }
  return { initiator, ...locationOf(given.data), chap: chapOf(node, target, given.data) }
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
