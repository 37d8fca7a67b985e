import { booleanAt, type JsonObject, textAt } from '../json.ts'
import { certificateRoutes } from './certificate-store.ts'
import { Refusal } from './machine.ts'
import { collection, done, ref, type Result, type Route } from './route.ts'
import { managerPath, type Slot, type State, systemPath } from './state.ts'

export function mediaRoutes(state: State): Route[] {
  const { where } = state.dialect.media
  const path = `${where === 'systems' ? systemPath(state) : managerPath(state)}/VirtualMedia`
  const paths = state.slots.map((slot) => `${path}/${slot.id}`)
  return [
    { path, get: () => collection('VirtualMediaCollection', 'Virtual Media', paths) },
    ...state.slots.flatMap((slot) => slotRoutes(state, slot, `${path}/${slot.id}`)),
  ]
}

function slotRoutes(state: State, slot: Slot, path: string): Route[] {
  const [insert, eject] = [`${path}/Actions/VirtualMedia.InsertMedia`, `${path}/Actions/VirtualMedia.EjectMedia`]
  const certificates = `${path}/Certificates`
  const offered = slot.insert === 'action' || slot.insert === 'refused'
  const view = (): JsonObject => ({
    '@odata.type': '#VirtualMedia.v1_5_1.VirtualMedia',
    Id: slot.id,
    Name: 'Virtual Media',
    MediaTypes: slot.types,
    Image: slot.image ?? null,
    ImageName: slot.image?.split('/').at(-1) ?? null,
    Inserted: slot.image !== undefined,
    WriteProtected: slot.writeProtected,
    Status: { State: 'Enabled', Health: 'OK' },
    TransferMethod: 'Stream',
    UserName: slot.username,
    VerifyCertificate: slot.verifyCertificate,
    Certificates: ref(certificates),
    ConnectedVia: slot.image === undefined ? 'NotConnected' : 'URI',
    ...(offered
      ? { Actions: { '#VirtualMedia.InsertMedia': { target: insert }, '#VirtualMedia.EjectMedia': { target: eject } } }
      : {}),
  })
  const put = async (image: string | undefined, writeProtected: boolean, username = ''): Promise<Result> => {
    slot.image = image
    slot.username = username
    slot.writeProtected = writeProtected
    await state.machine.media?.(slot.id, image)
    return done
  }
  if (slot.insert === 'viewer') return [{ path, get: view }]
  if (slot.insert === 'patch')
    return [
      { path, get: view, patch: ({ body }) => put(textAt(body, 'Image'), booleanAt(body, 'WriteProtected') ?? true) },
    ]
  const verify = (body: JsonObject): void => {
    const wanted = booleanAt(body, 'VerifyCertificate')
    if (wanted === undefined) throw new Refusal(400, 'PropertyNotWritable', [Object.keys(body).join(' ')])
    slot.verifyCertificate = wanted
  }
  return [
    { path, get: view, patch: ({ body }) => verify(body) },
    ...certificateRoutes(state, certificates),
    {
      path: insert,
      post: ({ body }) => {
        checkInsert(state, slot, body)
        return put(textAt(body, 'Image'), booleanAt(body, 'WriteProtected') ?? true, textAt(body, 'UserName'))
      },
    },
    { path: eject, post: () => put(undefined, true) },
  ]
}

function checkInsert({ dialect }: State, slot: Slot, body: JsonObject): void {
  const { refuses = [], demands = [] } = dialect.media
  const unknown = refuses.find((key) => key in body)
  const missing = ['Image', ...demands].find((key) => textAt(body, key) === undefined)
  if (slot.insert === 'refused') throw new Refusal(400, 'GeneralError')
  if (unknown !== undefined) throw new Refusal(400, 'ActionParameterUnknown', ['InsertMedia', unknown])
  if (missing !== undefined) throw new Refusal(400, 'ActionParameterMissing', ['InsertMedia', missing])
  if (slot.image !== undefined) throw new Refusal(500, 'ResourceInUse')
}
