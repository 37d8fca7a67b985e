import { UserError } from '../../contract/api/faults.ts'
import type { ImageRecord } from '../../contract/image-record.ts'
import type { Call } from '../openstack/context.ts'
import { ownsImage, seesImage, sharedWith, type Whose } from '../images/sight.ts'
import { isAdmin } from '../openstack/rights.ts'
import type { Table } from '../platform.ts'
import { type Entry, findEntry, noImage } from './records.ts'

/** Who sees an image, and who changes it. */

export const isOwn = (call: Call, record: Pick<Whose, 'owner'>): boolean => ownsImage(call.var.caller, record)
export const membership = (call: Call, record: Whose) => sharedWith(call.var.caller, record)
export const isVisible = (call: Call, record: Whose): boolean => seesImage(call.var.caller, record)

export async function entryOf(call: Call, { table }: { table: Table }, uuid: string): Promise<Entry> {
  const entry = await findEntry(table, uuid.toLowerCase())
  if (!entry || !isVisible(call, entry.record)) throw noImage(uuid)
  return entry
}

/** An image that the caller owns, or administers. */
export async function ownEntry(call: Call, ground: { table: Table }, uuid: string, what: string): Promise<Entry> {
  const entry = await entryOf(call, ground, uuid)
  requireOwn(call, entry.record, what)
  return entry
}

export function requireOwn(call: Call, record: ImageRecord, what: string): void {
  const theirs = isOwn(call, record) && call.var.caller.roles.has('member')
  if (!theirs && !isAdmin(call))
    throw new UserError(403, `You are not authorized to complete ${what} action: image ${record.uuid} is not yours.`)
}

/** An image that a server may be made from. UserError says why not. */
export async function bootable(call: Call, ground: { table: Table }, uuid: string): Promise<Entry> {
  const found = await findEntry(ground.table, uuid.toLowerCase())
  if (!found || !isVisible(call, found.record))
    throw new UserError(400, `Invalid imageRef provided: can not find requested image ${uuid.slice(0, 64)}.`)
  const { record, image } = found
  if (record.status !== 'active' || image?.state !== 'active')
    throw new UserError(400, `Image ${uuid} is not active: it is ${record.status}.`)
  return found
}
