import { actionAt } from './action.ts'
import type { Redfish, Resource } from './client.ts'
import { pause } from './clock.ts'
import { members } from './collection.ts'
import { NotOffered, RequestRefused } from './error.ts'
import { booleanAt, type JsonObject, linkAt, textAt, textsAt, valueAt } from './json.ts'
import type { MediaQuirk } from './quirk.ts'
import { managersOf, readSystem, type System } from './system.ts'

export type MediaType = 'CD' | 'DVD' | 'USBStick' | 'Floppy'

export interface MediaSlot {
  readonly path: string
  readonly id: string
  readonly types: readonly string[]
  readonly image: string | undefined
  readonly inserted: boolean
}

export interface Medium {
  type: MediaType
  /** URL of the image, which the BMC fetches by itself. */
  image: string
  username?: string
  password?: string
}

const EJECT_MS = 30_000
const EJECT_POLL_MS = 1000
const TRIES = 4
const RETRY_MS = 3000

/** What does as well when there is no slot of the type. */
const instead: Readonly<Record<MediaType, readonly string[]>> = {
  CD: ['CD', 'DVD'],
  DVD: ['DVD', 'CD'],
  USBStick: ['USBStick', 'Floppy'],
  Floppy: ['Floppy', 'USBStick'],
}

export async function listMedia(bmc: Redfish, system: System): Promise<MediaSlot[]> {
  return (await slotsOf(bmc, system, 'list virtual media')).map(slotOf)
}

/** Ejects what is in the slots of that type, and inserts the image in the first slot that takes it. */
export async function insertMedia(bmc: Redfish, system: System, medium: Medium): Promise<MediaSlot> {
  const operation = `insert virtual ${medium.type}`
  await ejectMedia(bmc, system, medium.type)
  const slots = await suitable(bmc, system, medium.type, operation)
  let refusal: unknown
  for (const slot of slots) {
    try {
      await insertInto(bmc, slot, medium, system.quirk.media ?? {}, operation)
      return slotOf(await bmc.get(slot.path, operation))
    } catch (error) {
      // Slots may be listed that only a browser's viewer can fill.
      if (!(error instanceof RequestRefused) || ![400, 404, 405, 501].includes(error.status)) throw error
      refusal ??= error
    }
  }
  throw refusal ?? new NotOffered(bmc.subject(operation), 'the BMC has no such virtual media; it may need a licence')
}

/** Ejects from all slots of a type, or from all. What is not in is not ejected. */
export async function ejectMedia(bmc: Redfish, system: System, type?: MediaType): Promise<void> {
  const operation = 'eject virtual media'
  const slots =
    type === undefined ? await slotsOf(bmc, system, operation) : await suitable(bmc, system, type, operation)
  for (const slot of slots) {
    const { inserted, image } = slotOf(slot)
    if (!inserted && image === undefined) continue
    await persistently(bmc, () => ejectFrom(bmc, slot, system.quirk.media ?? {}, operation))
    await untilEmpty(bmc, slot.path, operation)
  }
}

async function suitable(
  bmc: Redfish,
  { quirk, ...system }: System,
  type: MediaType,
  operation: string,
): Promise<Resource[]> {
  const { slots = /^/, useless = /$^/ } = quirk.media ?? {}
  const all = (await slotsOf(bmc, { quirk, ...system }, operation)).filter((slot) => !useless.test(slotOf(slot).id))
  const fitting = instead[type].flatMap((each) => all.filter((slot) => slotOf(slot).types.includes(each)))
  const preferred = fitting.filter((slot) => slots.test(slotOf(slot).id))
  return [...new Set(preferred.length > 0 ? preferred : fitting)]
}

/** Redfish 2020.4 moved virtual media from the manager to the system; BMCs have it here, there or in both. */
async function slotsOf(bmc: Redfish, system: System, operation: string): Promise<Resource[]> {
  const resource = await readSystem(bmc, system, operation)
  const own = linkAt(resource.body, 'VirtualMedia')
  const found = own === undefined ? [] : await members(bmc, own, operation)
  if (found.length > 0) return found
  for (const path of await managersOf(bmc, resource, operation)) {
    const collection = linkAt((await bmc.get(path, operation)).body, 'VirtualMedia')
    if (collection !== undefined) found.push(...(await members(bmc, collection, operation)))
  }
  return found
}

function slotOf({ path, body }: Resource): MediaSlot {
  const image = textAt(body, 'Image')
  const inserted = booleanAt(body, 'Inserted') ?? image !== undefined
  return {
    path,
    id: textAt(body, 'Id') ?? path.split('/').at(-1) ?? '',
    types: textsAt(body, 'MediaTypes'),
    image,
    inserted,
  }
}

async function insertInto(
  bmc: Redfish,
  slot: Resource,
  medium: Medium,
  quirk: MediaQuirk,
  operation: string,
): Promise<void> {
  const how = { operation, secrets: medium.password === undefined ? [] : [medium.password] }
  const oem = quirk.oem && textAt(valueAt(slot.body, ...quirk.oem.insert), 'target')
  if (oem !== undefined) {
    await bmc.send({ method: 'POST', path: oem, body: { Image: medium.image, ...quirk.oem?.insertBody } }, how)
    return
  }
  const body = insertBody(medium, quirk)
  const action = quirk.patches ? undefined : actionAt(slot, '#VirtualMedia.InsertMedia')
  if (!action) return void (await bmc.change(await bmc.get(slot.path, operation), body, how))
  const post = (body: JsonObject): Promise<unknown> =>
    persistently(bmc, () => bmc.send({ method: 'POST', path: action.target, body }, how))
  try {
    await post(body)
  } catch (error) {
    const next = error instanceof RequestRefused && error.status === 400 ? amended(body, medium, error) : undefined
    if (!next) throw error
    await post(next)
  }
}

function insertBody({ image, username, password }: Medium, { without = [], with: more }: MediaQuirk): JsonObject {
  const body: JsonObject = {
    Image: image,
    Inserted: true,
    WriteProtected: true,
    ...(username === undefined ? {} : { UserName: username }),
    ...(password === undefined ? {} : { Password: password }),
    ...more,
  }
  return Object.fromEntries(Object.entries(body).filter(([key]) => !without.includes(key)))
}

/** What the refusal says is missing is added, and what may be unknown to the BMC is left out. */
function amended(body: JsonObject, { image }: Medium, refusal: RequestRefused): JsonObject | undefined {
  const missing = refusal.says('ActionParameterMissing') || refusal.says('PropertyMissing')
  if (missing) {
    const protocol = URL.parse(image)?.protocol.replace(':', '').toUpperCase() ?? 'HTTP'
    return { ...body, TransferProtocolType: protocol, TransferMethod: 'Stream' }
  }
  const unknown = ['ActionParameterUnknown', 'ActionParameterNotSupported', 'PropertyUnknown', 'PropertyNotWritable']
  if (!unknown.some((id) => refusal.says(id))) return undefined
  const { Inserted: _inserted, WriteProtected: _writeProtected, ...rest } = body
  return rest
}

async function ejectFrom(bmc: Redfish, slot: Resource, quirk: MediaQuirk, operation: string): Promise<void> {
  const oem = quirk.oem && textAt(valueAt(slot.body, ...quirk.oem.eject), 'target')
  const target = oem ?? (quirk.patches ? undefined : actionAt(slot, '#VirtualMedia.EjectMedia')?.target)
  const body = (oem === undefined ? undefined : quirk.oem?.ejectBody) ?? {}
  if (target !== undefined) await bmc.send({ method: 'POST', path: target, body }, { operation })
  else await bmc.change(await bmc.get(slot.path, operation), { Image: null, Inserted: false }, { operation })
}

/** While a BMC is still ejecting it answers 500 to anything about the slot; nothing was begun then. */
async function persistently<T>(bmc: Redfish, work: () => Promise<T>): Promise<T> {
  for (let left = TRIES - 1; ; left -= 1) {
    try {
      return await work()
    } catch (error) {
      if (left === 0 || !(error instanceof RequestRefused) || error.status < 500) throw error
      await pause(bmc.clock, RETRY_MS)
    }
  }
}

/** The image that was in may be told for some time yet, and an insert would be refused or, worse, thought to be done. */
async function untilEmpty(bmc: Redfish, path: string, operation: string): Promise<void> {
  const deadline = bmc.clock.now() + EJECT_MS
  while (slotOf(await bmc.get(path, operation)).inserted) {
    if (bmc.clock.now() > deadline)
      throw new NotOffered(bmc.subject(operation), `the medium is still in after ${EJECT_MS / 1000} s; restart the BMC`)
    await pause(bmc.clock, EJECT_POLL_MS)
  }
}
