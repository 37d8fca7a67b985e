import { type JsonObject, textAt } from '../json.ts'
import { Refusal } from './machine.ts'
import { done, ref, type Route } from './route.ts'
import { managerPath, type State } from './state.ts'

/** An iDRAC's own services. */
export function dellRoutes(state: State): Route[] {
  if (state.dialect.name !== 'dell') return []
  const base = `/redfish/v1/Dell/Managers/${state.dialect.managerId}`
  const service = (name: string, action: string, act: (body: JsonObject) => void): Route[] => {
    const path = `${base}/${name}`
    const target = `${path}/Actions/${name}.${action}`
    return [
      { path, get: () => ({ Id: name, Name: name, Actions: { [`#${name}.${action}`]: { target } } }) },
      { path: target, post: ({ body }) => (act(body), done) },
    ]
  }
  return [
    ...service('DellJobService', 'DeleteJobQueue', (body) => {
      if (!/^JID_CLEARALL(_FORCE)?$/.test(textAt(body, 'JobID') ?? ''))
        throw new Refusal(400, 'ActionParameterMissing', ['DeleteJobQueue', 'JobID'])
      state.tasks.clear()
    }),
    ...service('DelliDRACCardService', 'iDRACReset', (body) => {
      if (textAt(body, 'Force') === undefined) throw new Refusal(400, 'ActionParameterMissing', ['iDRACReset', 'Force'])
      state.sessions.clear()
    }),
  ]
}

/** Where the manager says that they are. */
export function dellLinks(state: State): JsonObject {
  if (state.dialect.name !== 'dell') return {}
  const services = ['DellJobService', 'DelliDRACCardService']
  const at = (name: string) => ref(`${managerPath(state).replace('/v1/', '/v1/Dell/')}/${name}`)
  return { Oem: { Dell: Object.fromEntries(services.map((name) => [name, at(name)])) } }
}
