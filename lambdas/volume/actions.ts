import type { Volume } from '../../contract/block-storage.ts'
import { UserError } from '../../contract/api/faults.ts'
import { readJson } from '../api/body.ts'
import type { Call, Ground, Service } from '../openstack/context.ts'
import { requireAdmin } from '../openstack/rights.ts'
import { completeAttachment, connectAttachment, detachVolume, reserveVolume } from './attach.ts'
import { changeVolume, forTheSite } from './change-volume.ts'
import { connectionOf } from './exported.ts'
import { changeableVolume } from './find.ts'
import { type Action, actions } from './input.ts'
import { statusBy } from './order.ts'
import { PATH } from './path.ts'
import { deleteVolume } from './volumes.ts'

/** POST /volumes/{id}/action. */
export function actionRoutes(app: Service, ground: Ground): void {
  app.post(`${PATH}/volumes/:volume/action`, async (call) => {
    const body = (await readJson(call)) as Record<string, unknown> | undefined
    const name = Object.keys(body ?? {})[0] ?? ''
    if (Object.hasOwn(absent, name)) throw new UserError(501, absent[name] ?? '')
    if (!Object.hasOwn(actions, name))
      throw new UserError(400, `There is no action ${name.slice(0, 64)}. There is: ${Object.keys(actions).join(', ')}.`)
    const volume = await changeableVolume(call, ground, call.req.param('volume'), name)
    return run(call, ground, volume, name as Action, body?.[name])
  })
}

const absent: Record<string, string> = {
  'os-volume_upload_image': 'Images are not made of volumes: push one with bloomery image push.',
  'os-retype': 'A volume stays what it is: make one of the other type from a snapshot.',
  'os-migrate_volume': "A volume stays on its appliance's disk.",
  'os-set_image_metadata': 'What a volume has of its image is said by the image.',
  'os-unset_image_metadata': 'What a volume has of its image is said by the image.',
  'os-reimage': 'A volume is made of an image once: make another one.',
  revert: 'A volume is not turned back: make another one of the snapshot.',
}

async function run(call: Call, ground: Ground, volume: Volume, name: Action, given: unknown): Promise<Response> {
  const { uuid } = volume
  const done = (): Response => call.body(null, 202)
  switch (name) {
    case 'os-reserve':
      await turn(ground, uuid, ['available'], 'reserved')
      return done()
    case 'os-unreserve':
      await changeVolume(ground, uuid, ({ status, attachments }) =>
        status === 'reserved' && attachments.length === 0 ? { status: 'available' } : undefined,
      )
      return done()
    case 'os-begin_detaching':
      await turn(ground, uuid, ['in-use'], 'detaching')
      return done()
    case 'os-roll_detaching':
      await changeVolume(ground, uuid, ({ status, attachments }) =>
        // What the site is about to do is not rolled back.
        status === 'detaching' && attachments.every((each) => each.status !== 'detaching')
          ? { status: statusBy(attachments) }
          : undefined,
      )
      return done()
    case 'os-attach': {
      const { instance_uuid: server } = actions['os-attach'].parse(given)
      const attachment = lastOf(volume)?.uuid ?? ground.ids.uuid()
      await reserveVolume(ground, { volume: uuid, attachment }, server ?? null)
      await completeAttachment(ground, { volume: uuid, attachment })
      return done()
    }
    case 'os-detach':
    case 'os-force_detach': {
      if (name === 'os-force_detach') requireAdmin(call, 'volume_extension:volume_admin_actions:force_detach')
      const wanted = actions['os-detach'].parse(given)?.attachment_id
      const found = wanted ? volume.attachments.find((each) => each.uuid === wanted) : lastOf(volume)
      if (!found) throw new UserError(400, `Invalid volume: Volume ${uuid} has no such attachment.`)
      await detachVolume(ground, { volume: uuid, attachment: found.uuid })
      return done()
    }
    case 'os-initialize_connection': {
      const { connector } = actions['os-initialize_connection'].parse(given)
      const attachment = lastOf(volume)?.uuid ?? ground.ids.uuid()
      await reserveVolume(ground, { volume: uuid, attachment }, null)
      const connected = await connectAttachment(ground, { volume: uuid, attachment }, connector)
      const { info } = await connectionOf(ground, connected, attachment)
      const { driver_volume_type, ...data } = info
      return call.json({ connection_info: { driver_volume_type, data } })
    }
    case 'os-terminate_connection': {
      const { initiator } = actions['os-terminate_connection'].parse(given).connector
      for (const each of volume.attachments)
        if (initiator === undefined || each.connector?.initiator === initiator)
          await detachVolume(ground, { volume: uuid, attachment: each.uuid })
      return done()
    }
    case 'os-update_readonly_flag':
      actions[name].parse(given)
      return done()
    case 'os-set_bootable': {
      const { bootable } = actions['os-set_bootable'].parse(given)
      await changeVolume(ground, uuid, () => ({ bootable }))
      return call.body(null, 200)
    }
    case 'os-extend':
      await extend(ground, volume, actions['os-extend'].parse(given).new_size)
      return done()
    case 'os-force_delete':
      requireAdmin(call, 'volume_extension:volume_admin_actions:force_delete')
      await deleteVolume(ground, volume, { cascade: true, force: true })
      return done()
    case 'os-reset_status': {
      requireAdmin(call, 'volume_extension:volume_admin_actions:reset_status')
      const { status } = actions['os-reset_status'].parse(given)
      await changeVolume(ground, uuid, () => ({ status, fault: null }))
      return done()
    }
  }
}

const lastOf = ({ attachments }: Volume) => attachments.filter(({ status }) => status !== 'detaching').at(-1)

async function turn(ground: Ground, uuid: string, from: Volume['status'][], to: Volume['status']): Promise<void> {
  await changeVolume(ground, uuid, ({ status }) => {
    if (!from.includes(status))
      throw new UserError(400, `Invalid volume: Volume status must be ${from.join(' or ')}, but is ${status}.`)
    return { status: to }
  })
}

async function extend(ground: Ground, { uuid }: Volume, size: number): Promise<void> {
  await changeVolume(ground, uuid, (volume) => {
    if (volume.status !== 'available')
      throw new UserError(
        400,
        `Invalid volume: Volume ${uuid} status must be available to extend, but is ${volume.status}.`,
      )
    if (size <= volume.size)
      throw new UserError(
        400,
        `Invalid input received: New size for extend must be greater than current size. (current: ${volume.size}, extended: ${size}).`,
      )
    return { ...forTheSite(ground, volume), status: 'extending', former_size: volume.size, size, fault: null }
  })
}
