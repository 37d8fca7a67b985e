import { requiredAction } from './action.ts'
import type { Answer } from './answer.ts'
import type { Redfish, Resource } from './client.ts'
import { members, required } from './collection.ts'
import { MalformedAnswer, NotOffered, RequestRefused, TaskFailed } from './error.ts'
import { linkAt, listAt, textAt, textsAt } from './json.ts'
import { readSystem, type System } from './system.ts'
import { follow } from './task.ts'

/** What RAID controllers of iDRACs need beside volumes: configurations that came with disks of other machines are cleared, disks and
 * controllers that hand disks through are brought under RAID. Each is a job, some of which begin with the machine's restart. */

export interface DellJob {
  path: string
  /** The controller does nothing while the operating system runs. */
  restarts: boolean
}

const JOB_MS = 90 * 60_000
/** Dell's message for "no foreign drives detected". */
const NO_FOREIGN = 'STOR018'
/** A job that waits for the next start; those in real time are `RealTimeNoRebootConfiguration`. */
const AT_RESTART = 'RAIDConfiguration'

/** One job for each controller that has such a configuration. */
export async function clearForeignConfiguration(bmc: Redfish, system: System): Promise<DellJob[]> {
  const operation = 'clear foreign RAID configurations'
  const jobs: DellJob[] = []
  for (const storage of await raidStorage(bmc, system, operation)) {
    try {
      const body = { TargetFQDD: idOf(storage.path) }
      jobs.push(await act(bmc, system, operation, 'ClearForeignConfig', body))
    } catch (error) {
      if (!(error instanceof RequestRefused) || !error.messages.some(({ id }) => id === NO_FOREIGN)) throw error
    }
  }
  return jobs
}

/** Of these drives, the ones that are outside of RAID; none: no job. */
export async function convertDrivesToRaid(bmc: Redfish, system: System, drives: readonly string[]): Promise<DellJob[]> {
  const operation = 'bring drives under RAID'
  const outside: string[] = []
  for (const path of drives) {
    const { body } = await bmc.get(path, operation)
    if (textAt(body, 'Oem', 'Dell', 'DellPhysicalDisk', 'RaidStatus') === 'NonRAID') outside.push(idOf(path))
  }
  return outside.length === 0 ? [] : [await act(bmc, system, operation, 'ConvertToRAID', { PDArray: outside })]
}

/** Controllers that are in the mode of host bus adapters (`EnhancedHBA`); what can't be anything else stays. */
export async function convertControllersToRaid(bmc: Redfish, system: System): Promise<DellJob[]> {
  const operation = 'bring controllers into RAID mode'
  const jobs: DellJob[] = []
  for (const storage of await raidStorage(bmc, system, operation))
    for (const controller of await controllersOf(bmc, storage, operation)) {
      const mode = textAt(controller.body, 'Oem', 'Dell', 'DellStorageController', 'ControllerMode')
      const settings = linkAt(controller.body, '@Redfish.Settings', 'SettingsObject')
      if (mode !== 'EnhancedHBA' || settings === undefined) continue
      const body = {
        '@Redfish.SettingsApplyTime': { ApplyTime: 'OnReset' },
        Oem: { Dell: { DellStorageController: { ControllerMode: 'RAID' } } },
      }
      const begun = await bmc.change(await bmc.get(settings, operation), body, { operation })
      jobs.push({ ...(await jobOf(bmc, begun, operation)), restarts: true })
    }
  return jobs
}

/** To its end. One that the BMC has forgotten is over: it clears its queue at some restarts. */
export async function followJob(bmc: Redfish, job: DellJob): Promise<void> {
  const operation = 'configure RAID controllers'
  const { body, messages } = await follow(bmc, job.path, { operation, timeoutMs: JOB_MS })
  const state = textAt(body, 'Oem', 'Dell', 'JobState')
  if (state !== undefined && /Fail|Errors/.test(state))
    throw new TaskFailed(bmc.subject(operation), state, messages, bmc.secrets)
}

async function act(bmc: Redfish, system: System, operation: string, name: string, body: unknown): Promise<DellJob> {
  const { body: own } = await readSystem(bmc, system, operation)
  const path = linkAt(own, 'Links', 'Oem', 'Dell', 'DellRaidService')
  if (path === undefined)
    throw new NotOffered(bmc.subject(operation), 'the BMC has no DellRaidService: is it an iDRAC 9 or newer?')
  const { target } = requiredAction(bmc, await bmc.get(path, operation), `#DellRaidService.${name}`, operation)
  return jobOf(bmc, await bmc.send({ method: 'POST', path: target, body }, { operation }), operation)
}

/** iDRACs say where the job is, which can't be waited for like a task; the task has its id. */
async function jobOf(bmc: Redfish, { location }: Answer, operation: string): Promise<DellJob> {
  if (location === undefined) throw new MalformedAnswer(bmc.subject(operation), 'a job begun without saying where')
  const path = location.replace(/^.*\/Jobs\/(JID_[^/]+)$/, '/redfish/v1/TaskService/Tasks/$1')
  const { body } = await bmc.get(path, operation)
  return { path, restarts: textAt(body, 'Oem', 'Dell', 'JobType') === AT_RESTART }
}

/** Whose controller tells of RAID. */
async function raidStorage(bmc: Redfish, system: System, operation: string): Promise<Resource[]> {
  const path = required(bmc, await readSystem(bmc, system, operation), ['Storage'], operation)
  const found: Resource[] = []
  for (const storage of await members(bmc, path, operation)) {
    const own = listAt(storage.body, 'StorageControllers')
    const bodies = own.length > 0 ? own : (await controllersOf(bmc, storage, operation)).map(({ body }) => body)
    if (bodies.some((each) => textsAt(each, 'SupportedRAIDTypes').length > 0)) found.push(storage)
  }
  return found
}

async function controllersOf(bmc: Redfish, { body }: Resource, operation: string): Promise<Resource[]> {
  const path = linkAt(body, 'Controllers')
  return path === undefined ? [] : members(bmc, path, operation)
}

function idOf(path: string): string {
  return path.replace(/\/$/, '').split('/').at(-1) ?? path
}
