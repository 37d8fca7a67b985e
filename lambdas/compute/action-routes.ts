import { UserError } from '../../contract/api/faults.ts'
import type { ServerAction } from '../../contract/compute.ts'
import type { Call, Ground, Service } from '../openstack/context.ts'
import { PATH } from './path.ts'
import { serverOf } from './servers.ts'

/** The action log of a server: `openstack server event list` and `show`. */
export function actionLogRoutes(app: Service, ground: Ground): void {
  const path = `${PATH}/servers/:server/os-instance-actions`
  app.get(path, async (call) => {
    const { uuid, actions = [] } = await serverOf(call, ground, call.req.param('server'))
    return call.json({ instanceActions: actions.toReversed().map((each) => view(call, uuid, each)) })
  })
  app.get(`${path}/:request`, async (call) => {
    const { uuid, node, actions = [] } = await serverOf(call, ground, call.req.param('server'))
    const request = call.req.param('request')
    const action = actions.find((each) => each.request === request)
    if (!action) throw new UserError(404, `Action for request_id ${request} on instance ${uuid} not found`)
    const events = action.steps.map(({ task, started_at, ended_at, failed }) => ({
      event: task,
      start_time: instant(started_at),
      finish_time: ended_at === null ? null : instant(ended_at),
      result: ended_at === null ? null : failed ? 'Error' : 'Success',
      traceback: null,
      ...(call.var.minor >= 62 ? { hostId: node ?? '' } : {}),
      ...(call.var.minor >= 84 ? { details: failed ? action.fault : null } : {}),
    }))
    return call.json({ instanceAction: { ...view(call, uuid, action), events } })
  })
}

function view(call: Call, uuid: string, { request, action, user_id, project_id, ...rest }: ServerAction) {
  const { started_at, ended_at, fault } = rest
  return {
    action,
    instance_uuid: uuid,
    request_id: request,
    user_id,
    project_id,
    start_time: instant(started_at),
    message: fault,
    ...(call.var.minor >= 58 ? { updated_at: instant(ended_at ?? started_at) } : {}),
  }
}

/** Nova's, without a zone and to the microsecond. */
const instant = (iso: string): string => `${iso.slice(0, -1)}000`
