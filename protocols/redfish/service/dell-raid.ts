import { type JsonObject, textAt, textsAt } from '../json.ts'
import { Refusal } from './machine.ts'
import { ref, type Result, type Route } from './route.ts'
import { managerPath, nextId, type State, systemPath } from './state.ts'

/** What an iDRAC's RAID controller has beside volumes. */

const ACTIONS = ['ClearForeignConfig', 'ConvertToRAID'] as const

const servicePath = (state: State): string => `${systemPath(state)}/Oem/Dell/DellRaidService`

export function dellRaidLink(state: State): JsonObject {
  return state.dialect.name === 'dell' ? { Oem: { Dell: { DellRaidService: ref(servicePath(state)) } } } : {}
}

export function dellRaidRoutes(state: State): Route[] {
  if (state.dialect.name !== 'dell') return []
  const path = servicePath(state)
  const target = (name: string): string => `${path}/Actions/DellRaidService.${name}`
  const { dellRaid: raid } = state
  return [
    {
      path,
      get: () => ({
        Id: 'DellRaidService',
        Name: 'DellRaidService',
        Actions: Object.fromEntries(ACTIONS.map((name) => [`#DellRaidService.${name}`, { target: target(name) }])),
      }),
    },
    {
      path: target('ClearForeignConfig'),
      post: ({ body }) => {
        if (textAt(body, 'TargetFQDD') !== '1') throw new Refusal(400, 'PropertyValueNotInList', ['TargetFQDD'])
        if (!raid.foreign) throw new Refusal(400, 'IDRAC.2.8.STOR018')
        return beginJob(state, 'clear foreign configuration', !raid.realTime, () => (raid.foreign = false))
      },
    },
    {
      path: target('ConvertToRAID'),
      post: ({ body }) => {
        const drives = textsAt(body, 'PDArray')
        if (drives.length === 0 || drives.some((id) => !raid.outside.has(id)))
          throw new Refusal(400, 'PropertyValueNotInList', [drives.join(' '), 'PDArray'])
        return beginJob(state, 'convert to RAID', !raid.realTime, () => {
          for (const id of drives) raid.outside.delete(id)
        })
      },
    },
  ]
}

export function dellDrive({ dialect, dellRaid }: State, id: string): JsonObject {
  if (dialect.name !== 'dell') return {}
  return { Oem: { Dell: { DellPhysicalDisk: { RaidStatus: dellRaid.outside.has(id) ? 'NonRAID' : 'Ready' } } } }
}

export function dellController({ dialect, dellRaid: { mode } }: State): JsonObject {
  return dialect.name === 'dell' ? { Dell: { DellStorageController: { ControllerMode: mode } } } : {}
}

/** Undefined: it is about something else. */
export function changeDellController(state: State, body: JsonObject): Result | undefined {
  const mode = textAt(body, 'Oem', 'Dell', 'DellStorageController', 'ControllerMode')
  if (state.dialect.name !== 'dell' || mode === undefined) return undefined
  if (mode !== 'RAID' && mode !== 'EnhancedHBA')
    throw new Refusal(400, 'PropertyValueNotInList', [mode, 'ControllerMode'])
  return beginJob(state, 'change the controller mode', true, () => (state.dellRaid.mode = mode))
}

/** iDRACs tell of a job where no task monitor is; one that waits for a restart begins with it. */
function beginJob(state: State, name: string, restarts: boolean, effect: () => unknown): Result {
  const id = `JID_${nextId(state)}`
  const { clock } = state
  const JobType = restarts ? 'RAIDConfiguration' : 'RealTimeNoRebootConfiguration'
  const task = {
    id,
    name,
    beganAt: new Date().toISOString(),
    endsAt: restarts ? Number.POSITIVE_INFINITY : clock.now(),
    finish: () => (effect(), {}),
    told: {},
    oem: { Dell: { JobType } },
  }
  state.tasks.set(id, task)
  if (restarts) state.atStart.push(() => (task.endsAt = clock.now()))
  return { status: 202, headers: { location: `${managerPath(state)}/Jobs/${id}` } }
}
