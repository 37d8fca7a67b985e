import type { Volume, VolumeAttachment } from '../../contract/block-storage.ts'
import { UserError } from '../../contract/api/faults.ts'
import { seal } from '../../contract/seal.ts'
import type { Platform } from '../platform.ts'
import { appliancesOf, getAppliance } from '../store/appliances.ts'
import { changeVolume, forTheSite } from './change-volume.ts'
import type { Connector } from './input.ts'
import { statusBy } from './order.ts'

/** A volume's way to a machine and back: reserved, attaching (the site lets one initiator in), attached; detaching, and gone. Each may be done
 * twice. */

/** 16 characters: what open-iscsi wants at least is 12. */
const SECRET_BYTES = 12
const MOST_KEYS = 64

type Needs = Pick<Platform, 'table' | 'clock' | 'ids'>
interface Which {
  volume: string
  attachment: string
}

export async function reserveVolume(
  needs: Needs,
  { volume: uuid, attachment }: Which,
  server: string | null,
): Promise<Volume> {
  const after = await changeVolume(needs, uuid, (volume) => {
    if (volume.attachments.some((each) => each.uuid === attachment)) return undefined
    // A client may have reserved it by itself before it told of the attachment.
    const isFree = volume.status === 'available' || (volume.status === 'reserved' && volume.attachments.length === 0)
    if (!isFree)
      throw new UserError(
        400,
        `Invalid volume: Volume ${uuid} status must be available or reserved, but is ${volume.status}.`,
      )
    return { status: 'reserved', attachments: [...volume.attachments, newAttachment(attachment, server)] }
  })
  return there(after, uuid)
}

function newAttachment(uuid: string, server: string | null): VolumeAttachment {
  return {
    uuid,
    server,
    status: 'reserved',
    mode: 'rw',
    connector: null,
    secret: null,
    exported: null,
    attached_at: null,
  }
}

/** Says who will log in. The secret is in the reply only: the table has it sealed to the site. */
export async function connectAttachment(
  needs: Needs,
  { volume: uuid, attachment }: Which,
  { initiator, host, mountpoint }: Connector,
): Promise<{ volume: Volume; secret: string }> {
  const known = there(await changeVolume(needs, uuid, () => undefined), uuid)
  const appliance = known.appliance === null ? undefined : await getAppliance(needs.table, known.appliance)
  if (!appliance) throw new UserError(409, `Volume ${uuid} is on the disk of an appliance that is no more.`)
  const secret = needs.ids.token(SECRET_BYTES)
  // Whichever of the site's appliances boots the machine has to say it.
  const site = await appliancesOf(needs.table, appliance.site)
  const keys = site.slice(0, MOST_KEYS).map((each) => ({ appliance: each.uuid, key: each.sealing_key }))
  const sealedSecret = seal(secret, `${uuid}/${attachment}`, keys)
  const after = await changeVolume(needs, uuid, (volume) => {
    // It may have been deleted since it was looked at: the volume would be attaching for nobody, and for good.
    if (!volume.attachments.some((each) => each.uuid === attachment && each.status !== 'detaching'))
      throw new UserError(409, `Attachment ${attachment} of volume ${uuid} is being deleted.`)
    return {
      ...forTheSite(needs, volume),
      status: 'attaching',
      fault: null,
      attachments: volume.attachments.map((each) => {
        if (each.uuid !== attachment) return each
        const connector = { initiator, host: host ?? null, mountpoint: mountpoint ?? null }
        return { ...each, status: 'attaching' as const, connector, secret: sealedSecret, exported: null }
      }),
    }
  })
  return { volume: there(after, uuid), secret }
}

export async function completeAttachment(needs: Needs, { volume: uuid, attachment }: Which): Promise<Volume> {
  const after = await changeVolume(needs, uuid, (volume) => {
    if (!volume.attachments.some((each) => each.uuid === attachment && each.status !== 'detaching')) return undefined
    const attached_at = needs.clock.now().toISOString()
    const attachments = volume.attachments.map((each) =>
      each.uuid === attachment && each.status !== 'attached'
        ? { ...each, status: 'attached' as const, attached_at }
        : each,
    )
    return { attachments, status: statusBy(attachments) }
  })
  return there(after, uuid)
}

/** The site throws the initiator out, and then the volume is free. One that was let in nowhere is free at once. */
export async function detachVolume(needs: Needs, { volume: uuid, attachment }: Which): Promise<Volume | undefined> {
  return changeVolume(needs, uuid, (volume) => {
    const found = volume.attachments.find((each) => each.uuid === attachment)
    if (!found || found.status === 'detaching') return undefined
    if (found.connector === null) {
      const attachments = volume.attachments.filter((each) => each.uuid !== attachment)
      return { attachments, status: statusBy(attachments) }
    }
    return {
      ...forTheSite(needs, volume),
      status: 'detaching',
      attachments: volume.attachments.map((each) =>
        each.uuid === attachment ? { ...each, status: 'detaching' as const } : each,
      ),
    }
  })
}

function there(volume: Volume | undefined, uuid: string): Volume {
  if (!volume) throw new UserError(404, `Volume ${uuid} could not be found.`)
  return volume
}
