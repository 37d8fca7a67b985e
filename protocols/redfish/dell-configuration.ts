import type { Redfish, Resource } from './client.ts'
import { MalformedAnswer, NotOffered, TaskFailed } from './error.ts'
import { type JsonObject, listAt, objectAt, textAt } from './json.ts'
import { managerOf } from './manager.ts'
import { messagesOf } from './messages.ts'
import type { System } from './system.ts'
import { settle } from './task.ts'

/** Server configuration profiles (SCP): all settings of an iDRAC, its BIOS, RAID and NICs in one document, which Dell's manager exports and
 * imports by actions of its own. */

const EXPORT_MS = 15 * 60_000
/** With the restart of the machine, in which most of it is done. */
const IMPORT_MS = 90 * 60_000

/** For a copy of this server's settings; without passwords. */
export async function exportConfiguration(bmc: Redfish, system: System): Promise<JsonObject> {
  const operation = 'export the configuration'
  const path = await targetOf(bmc, system, 'ExportSystemConfiguration', operation)
  const body = { ExportFormat: 'JSON', ExportUse: 'Clone', ShareParameters: { Target: 'ALL' } }
  const begun = await bmc.send({ method: 'POST', path, body }, { operation })
  const outcome = await settle(bmc, begun, { operation, timeoutMs: EXPORT_MS })
  const SystemConfiguration = objectAt(outcome.body, 'SystemConfiguration')
  if (SystemConfiguration) return { SystemConfiguration }
  throw new MalformedAnswer(bmc.subject(operation), 'an export that ended without a configuration')
}

/** Returns where its job is followed. The machine restarts for it, at once and without asking its operating system. */
export async function beginImport(bmc: Redfish, system: System, configuration: JsonObject): Promise<string> {
  const operation = 'import a configuration'
  const path = await targetOf(bmc, system, 'ImportSystemConfiguration', operation)
  const body = {
    ImportBuffer: JSON.stringify(configuration),
    ShareParameters: { Target: 'ALL' },
    ShutdownType: 'Forced',
    HostPowerState: 'On',
  }
  const { location } = await bmc.send({ method: 'POST', path, body }, { operation })
  if (location === undefined) throw new MalformedAnswer(bmc.subject(operation), 'a job begun without saying where')
  return location
}

/** To the end of the job. Done in part is failed: a job may be `Completed` and say in its messages what it left out. */
export async function followImport(
  bmc: Redfish,
  job: string,
  onProgress: (percent: number) => void = () => {},
): Promise<void> {
  const operation = 'import a configuration'
  const first = await bmc.send({ method: 'GET', path: job }, { operation })
  const begun = { ...first, status: 202, location: job }
  const { state, body } = await settle(bmc, begun, { operation, timeoutMs: IMPORT_MS, onProgress })
  if (state === 'vanished')
    throw new TaskFailed(bmc.subject(operation), 'unknown, for the BMC has forgotten it', [], bmc.secrets)
  const wrong = listAt(body, 'Messages').filter(isTrouble)
  if (wrong.length > 0)
    throw new TaskFailed(bmc.subject(operation), 'Completed, in part', messagesOf({ Messages: wrong }), bmc.secrets)
}

/** SYS055: completed with errors. Newer iDRACs say so in the id alone. */
function isTrouble(message: unknown): boolean {
  const severity = textAt(message, 'Severity') ?? textAt(message, 'MessageSeverity') ?? 'OK'
  return severity !== 'OK' || (textAt(message, 'MessageId') ?? '').includes('SYS055')
}

/** Under Actions/Oem, by a name that has the schema's version in it before iDRAC 9's fifth. */
async function targetOf(bmc: Redfish, system: System, name: string, operation: string): Promise<string> {
  const manager: Resource = await managerOf(bmc, system, operation)
  const actions = objectAt(manager.body, 'Actions', 'Oem') ?? {}
  const key = Object.keys(actions).find((each) => each.endsWith(`#OemManager.${name}`))
  const target = key === undefined ? undefined : textAt(actions, key, 'target')
  if (target !== undefined) return target
  throw new NotOffered(bmc.subject(operation), `the BMC has no ${name}: is it an iDRAC 8 or newer?`)
}
