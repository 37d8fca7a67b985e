import { createHash, timingSafeEqual } from 'node:crypto'
import { z } from 'zod'
import type { Volume, VolumeTransfer } from '../../contract/block-storage.ts'
import { UserError } from '../../contract/api/faults.ts'
import { readJson } from '../api/body.ts'
import type { Call, Ground, Service } from '../openstack/context.ts'
import { isTheirs, projectOf, requireMember, seesAll } from '../openstack/rights.ts'
import { all } from '../store/paging.ts'
import { changeVolume } from './change-volume.ts'
import { changeableVolume, requireOwn } from './find.ts'
import { PATH } from './path.ts'
import { volumeOfTransfer, volumesFor } from './store.ts'

/** A volume is given to another project: to whoever says the key that its owner was told once. Its snapshots go with it. */

const KEY_BYTES = 18
const creation = z.object({ transfer: z.object({ volume_id: z.uuid(), name: z.string().max(255).nullish() }) })
const acceptance = z.object({ accept: z.object({ auth_key: z.string().min(1).max(255) }) })

type Given = Volume & { transfer: VolumeTransfer }
const isGiven = (volume: Volume | undefined): volume is Given =>
  volume?.transfer !== undefined && volume.status === 'awaiting-transfer'
const digestOf = (key: string): Buffer => createHash('sha256').update(key).digest()

export function transferRoutes(app: Service, ground: Ground): void {
  const { table, clock, ids, log } = ground
  // The second from microversion 3.55 on.
  for (const path of [`${PATH}/os-volume-transfer`, `${PATH}/volume-transfers`]) {
    app.post(path, async (call) => {
      const { volume_id: id, name } = creation.parse(await readJson(call)).transfer
      const { uuid } = await changeableVolume(call, ground, id, 'create_transfer')
      const key = ids.token(KEY_BYTES)
      const created_at = clock.now().toISOString()
      const transfer = { uuid: ids.uuid(), name: name ?? null, sha256: digestOf(key).toString('hex'), created_at }
      const after = await changeVolume(ground, uuid, ({ status, attachments }) => {
        if (status !== 'available' || attachments.length > 0)
          throw new UserError(400, `Invalid volume: status must be available, but is ${status}.`)
        return { status: 'awaiting-transfer', transfer }
      })
      if (!isGiven(after)) throw new UserError(404, `Volume ${uuid} could not be found.`)
      log.info({ volume: uuid, transfer: transfer.uuid, project: after.project_id }, 'volume offered')
      return call.json({ transfer: { ...shown(call, path, after), auth_key: key } }, 202)
    })
    const list = async (call: Call): Promise<Response> => {
      const everybodys = seesAll(call) && ['1', 'true'].includes(call.req.query('all_tenants')?.toLowerCase() ?? '')
      const from = everybodys ? { index: 'all' as const, pk: 'volumes' } : volumesFor(projectOf(call))
      const given = (await all<Volume>(table, from)).filter(isGiven)
      return call.json({ transfers: given.map((each) => shown(call, path, each)) })
    }
    app.get(path, list)
    app.get(`${path}/detail`, list)
    app.get(`${path}/:transfer`, async (call) =>
      call.json({ transfer: shown(call, path, await own(call, call.req.param('transfer'))) }),
    )
    app.delete(`${path}/:transfer`, async (call) => {
      const given = await own(call, call.req.param('transfer'))
      requireOwn(call, given, 'delete_transfer')
      await changeGiven(given, () => ({ status: 'available', transfer: undefined }))
      return call.body(null, 202)
    })
    app.post(`${path}/:transfer/accept`, async (call) => {
      const key = acceptance.parse(await readJson(call)).accept.auth_key
      requireMember(call, 'volume:accept_transfer')
      const project_id = projectOf(call)
      const id = call.req.param('transfer')
      const given = await volumeOfTransfer(table, id)
      if (!isGiven(given)) throw missing(id)
      const user_id = call.var.caller.user?.id ?? given.user_id
      await changeGiven(given, ({ uuid, transfer }) => {
        if (!timingSafeEqual(digestOf(key), Buffer.from(transfer.sha256, 'hex')))
          throw new UserError(400, `Invalid auth key: Attempt to transfer ${uuid} with invalid auth key.`)
        return { status: 'available', transfer: undefined, project_id, user_id }
      })
      log.info({ volume: given.uuid, transfer: id, from: given.project_id, project: project_id }, 'volume taken over')
      return call.json({ transfer: shown(call, path, given) }, 202)
    })
  }

  async function own(call: Call, id: string): Promise<Given> {
    const volume = await volumeOfTransfer(table, id)
    if (!isGiven(volume) || !(isTheirs(call, volume) || seesAll(call))) throw missing(id)
    return volume
  }

  /** As long as it is offered by this transfer. */
  async function changeGiven({ uuid, transfer }: Given, change: (volume: Given) => Partial<Volume>): Promise<void> {
    await changeVolume(ground, uuid, (volume) => {
      if (!isGiven(volume) || volume.transfer.uuid !== transfer.uuid) throw missing(transfer.uuid)
      return change(volume)
    })
  }
}

const missing = (id: string): UserError => new UserError(404, `Transfer ${id.slice(0, 64)} could not be found.`)

function shown(call: Call, path: string, { uuid: volume_id, transfer }: Given) {
  const { uuid: id, name, created_at } = transfer
  const links = [{ rel: 'self', href: `${call.var.base}${path}/${id}` }]
  return { id, name, volume_id, created_at: created_at.replace(/(\.\d{3})?Z$/, '.000000'), links }
}
