import { allowedValues, requiredAction } from './action.ts'
import type { Redfish, Resource } from './client.ts'
import { NotOffered } from './error.ts'
import { textAt } from './json.ts'
import { managersOf, readSystem, type System } from './system.ts'

/** Returns when the BMC has accepted; it is gone for minutes then, and has forgotten who was logged in. */
export async function resetManager(bmc: Redfish, system: System): Promise<void> {
  const operation = 'restart the BMC'
  const action = requiredAction(bmc, await managerOf(bmc, system, operation), '#Manager.Reset', operation)
  const allowed = await allowedValues(bmc, action, 'ResetType', operation)
  const type = ['GracefulRestart', 'ForceRestart'].find((each) => allowed.length === 0 || allowed.includes(each))
  if (type === undefined)
    throw new NotOffered(bmc.subject(operation), `the BMC can't restart itself; it has ${allowed.join(', ')}`)
  await bmc.send({ method: 'POST', path: action.target, body: { ResetType: type } }, { operation })
}

/** As the BMC tells it: RFC 3339 with its offset. */
export async function readClock(bmc: Redfish, system: System): Promise<string | undefined> {
  return textAt((await managerOf(bmc, system, "read the BMC's clock")).body, 'DateTime')
}

/** `at`: RFC 3339; `offset`: like +02:00. */
export async function setClock(bmc: Redfish, system: System, at: string, offset?: string): Promise<void> {
  const operation = "set the BMC's clock"
  const body = { DateTime: at, ...(offset === undefined ? {} : { DateTimeLocalOffset: offset }) }
  await bmc.change(await managerOf(bmc, system, operation), body, { operation })
}

/** The first of those that manage a system. */
export async function managerOf(bmc: Redfish, system: System, operation: string): Promise<Resource> {
  const [path] = await managersOf(bmc, await readSystem(bmc, system, operation), operation)
  if (path === undefined) throw new NotOffered(bmc.subject(operation), 'the BMC tells of no manager')
  return bmc.get(path, operation)
}
