import { setTimeout as pause } from 'node:timers/promises'
import type { Volume, VolumeAttachment } from '../../contract/block-storage.ts'
import { UserError } from '../../contract/api/faults.ts'
import type { Ground } from '../openstack/context.ts'
import { volumeStore } from './store.ts'
import { connectionData } from './views.ts'

/** Gateways cut requests off after half a minute. */
const WAIT_MS = 25_000
const LOOK_MS = 200

/** What the initiator needs, once the site lets it in; with the secret, which nobody can ask for again. */
export async function connectionOf(
  { table }: Pick<Ground, 'table'>,
  { volume, secret }: { volume: Volume; secret: string },
  attachment: string,
): Promise<{ volume: Volume; attachment: VolumeAttachment; info: Record<string, unknown> }> {
  const until = performance.now() + WAIT_MS
  for (;;) {
    const now = await volumeStore.get(table, volume.uuid)
    const found = now?.attachments.find(({ uuid }) => uuid === attachment)
    if (!now || !found || found.status === 'detaching')
      throw new UserError(409, `Attachment ${attachment} was deleted meanwhile.`)
    if (found.exported)
      return { volume: now, attachment: found, info: { ...connectionData(now, found), auth_password: secret } }
    if (now.fault !== null && now.settled >= volume.generation)
      throw new UserError(500, `Volume ${volume.uuid} could not be exported: ${now.fault}`)
    if (performance.now() > until)
      throw new UserError(
        504,
        `The site of volume ${volume.uuid} has not answered within ${WAIT_MS / 1000} s; delete the attachment and try again.`,
      )
    await pause(LOOK_MS)
  }
}
