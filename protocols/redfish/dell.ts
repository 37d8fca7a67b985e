import type { Redfish } from './client.ts'
import { requiredAction } from './action.ts'
import { NotOffered } from './error.ts'
import { linkAt } from './json.ts'
import { managersOf, readSystem, type System } from './system.ts'

/** What iDRACs have beside the standard, where their manager says that it is (Links/Oem/Dell). */

/** A job that hangs keeps all later ones from starting. `force` also ends those that run, and makes the lifecycle controller ready anew. */
export async function clearJobQueue(bmc: Redfish, system: System, force = false): Promise<void> {
  const body = { JobID: force ? 'JID_CLEARALL_FORCE' : 'JID_CLEARALL' }
  await act(bmc, system, 'clear the job queue', 'DellJobService', '#DellJobService.DeleteJobQueue', body)
}

/** The settings stay. Returns when the iDRAC has accepted; it is gone for minutes then. */
export async function resetIdrac(bmc: Redfish, system: System): Promise<void> {
  const body = { Force: 'Graceful' }
  await act(bmc, system, 'restart the iDRAC', 'DelliDRACCardService', '#DelliDRACCardService.iDRACReset', body)
}

async function act(
  bmc: Redfish,
  system: System,
  operation: string,
  service: string,
  action: string,
  body: unknown,
): Promise<void> {
  const [manager] = await managersOf(bmc, await readSystem(bmc, system, operation), operation)
  const own = manager === undefined ? undefined : (await bmc.get(manager, operation)).body
  const path = linkAt(own, 'Links', 'Oem', 'Dell', service)
  if (path === undefined)
    throw new NotOffered(bmc.subject(operation), `the BMC has no ${service}: is it an iDRAC 9 or newer?`)
  const { target } = requiredAction(bmc, await bmc.get(path, operation), action, operation)
  await bmc.send({ method: 'POST', path: target, body }, { operation })
}
