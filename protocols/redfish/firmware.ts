import { requiredAction } from './action.ts'
import type { Redfish, Resource } from './client.ts'
import { members, required } from './collection.ts'
import { booleanAt, textAt } from './json.ts'
import { settle, type TaskOutcome } from './task.ts'

export interface Firmware {
  path: string
  id: string
  name: string | undefined
  version: string | undefined
  updateable: boolean | undefined
}

export interface FirmwareUpdate {
  /** URL that the BMC fetches the image from. */
  image: string
  /** Paths of what it is for; without, the BMC sees by the image. */
  targets?: readonly string[]
  username?: string
  password?: string
  timeoutMs?: number
  onProgress?(percent: number): void
}

export const UPDATE_MS = 2 * 60 * 60_000

export async function readFirmware(bmc: Redfish): Promise<Firmware[]> {
  const operation = 'read firmware inventory'
  const service = await updateServiceOf(bmc, operation)
  const found = await members(bmc, required(bmc, service, ['FirmwareInventory'], operation), operation)
  return found.map(({ path, body }) => ({
    path,
    id: textAt(body, 'Id') ?? path,
    name: textAt(body, 'Name'),
    version: textAt(body, 'Version'),
    updateable: booleanAt(body, 'Updateable'),
  }))
}

/** SimpleUpdate, to its end as far as the BMC tells. A `vanished` task may have done its work: compare the versions. */
export async function updateFirmware(bmc: Redfish, update: FirmwareUpdate): Promise<TaskOutcome> {
  const operation = 'update firmware'
  const service = await updateServiceOf(bmc, operation)
  const { target } = requiredAction(bmc, service, '#UpdateService.SimpleUpdate', operation)
  const { image, targets, username, password, timeoutMs = UPDATE_MS, onProgress } = update
  const body = {
    ImageURI: image,
    TransferProtocol: URL.parse(image)?.protocol.replace(':', '').toUpperCase(),
    ...(targets === undefined ? {} : { Targets: targets }),
    ...(username === undefined ? {} : { Username: username }),
    ...(password === undefined ? {} : { Password: password }),
  }
  const secrets = password === undefined ? [] : [password]
  const begun = await bmc.send({ method: 'POST', path: target, body }, { operation, secrets })
  return settle(bmc, begun, { operation, timeoutMs, ...(onProgress ? { onProgress } : {}) })
}

export function updateServiceOf(bmc: Redfish, operation: string): Promise<Resource> {
  return bmc.get(required(bmc, bmc.root, ['UpdateService'], operation), operation)
}
