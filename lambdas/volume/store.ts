import type { Volume, VolumeType } from '../../contract/block-storage.ts'
import type { Table } from '../platform.ts'
import { store } from '../store/entity.ts'
import { all } from '../store/paging.ts'

export const VOLUMES_DUE = 'due-volumes'

const snapshotPk = (uuid: string): string => `volume-snapshot#${uuid}`
const transferPk = (uuid: string): string => `volume-transfer#${uuid}`
const attachmentPk = (uuid: string): string => `volume-attachment#${uuid}`

/** A volume is one item with its snapshots and attachments, which are found by pointers to it. */
export const volumeStore = store<Volume>({
  title: 'volume',
  word: 'volume',
  plural: 'volumes',
  lists: ({ project_id: project, appliance, deadline }) => ({
    owner: volumesFor(project).pk,
    ...(appliance === null ? {} : { node: volumesAt(appliance).pk }),
    ...(deadline === null ? {} : { due: VOLUMES_DUE }),
  }),
  uniques: ({ snapshots, attachments, transfer }) => [
    ...(transfer ? [{ pk: transferPk(transfer.uuid), clash: `Transfer ${transfer.uuid} exists.` }] : []),
    ...snapshots.map(({ uuid }) => ({ pk: snapshotPk(uuid), clash: `Snapshot ${uuid} exists.` })),
    ...attachments.map(({ uuid }) => ({ pk: attachmentPk(uuid), clash: `Attachment ${uuid} exists.` })),
  ],
})
export const volumesFor = (project: string) => ({ index: 'owner' as const, pk: `volumes-for#${project}` })
export const volumesAt = (appliance: string) => ({ index: 'node' as const, pk: `volumes-at#${appliance}` })

export const typeStore = store<VolumeType>({
  title: 'volume type',
  word: 'volume-type',
  plural: 'volume-types',
  uniques: ({ name }) => [{ pk: `volume-type-name#${name}`, clash: `Volume Type ${name} already exists.` }],
})

export const volumeOfSnapshot = (table: Table, uuid: string) => pointed(table, snapshotPk(uuid))
export const volumeOfTransfer = (table: Table, uuid: string) => pointed(table, transferPk(uuid))
export const volumeOfAttachment = (table: Table, uuid: string) => pointed(table, attachmentPk(uuid))

async function pointed(table: Table, pk: string): Promise<Volume | undefined> {
  const pointer = (await table.get({ pk, sk: 'unique' }))?.value as { uuid: string } | undefined
  return pointer && volumeStore.get(table, pointer.uuid)
}

/** GiB of the appliance's disk that are promised. */
export async function promisedAt(table: Table, appliance: string): Promise<number> {
  const there = await all<Volume>(table, volumesAt(appliance))
  return there.reduce((sum, { size, status }) => sum + (status === 'error' ? 0 : size), 0)
}
