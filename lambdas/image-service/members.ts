import { z } from 'zod'
import { UserError } from '../../contract/api/faults.ts'
import { type ImageMember, memberStatuses } from '../../contract/image-record.ts'
import { readJson } from '../api/body.ts'
import type { Call, Ground, Service } from '../openstack/context.ts'
import { isAdmin } from '../openstack/rights.ts'
import { PATH } from './path.ts'
import { changeRecord } from './records.ts'
import { entryOf, isOwn, ownEntry } from './sight.ts'
import { memberView } from './view.ts'

const MOST_MEMBERS = 128
const creation = z.strictObject({ member: z.string().min(1).max(255) })
const update = z.strictObject({ status: z.enum(memberStatuses) })

/** Projects that an image is shared with. The owner says which, each says whether it wants to see it in its lists. */
export function memberRoutes(app: Service, ground: Ground): void {
  const path = `${PATH}/images/:image/members`
  app.get(path, async (call) => {
    const { record } = await entryOf(call, ground, call.req.param('image'))
    const own = record.members.filter(({ project }) => maySee(call, record.owner, project))
    return call.json({ members: own.map((each) => memberView(record.uuid, each)), schema: '/v2/schemas/members' })
  })
  app.post(path, async (call) => {
    const { member: project } = creation.parse(await readJson(call))
    const { record } = await ownEntry(call, ground, call.req.param('image'), 'add_member')
    const now = ground.clock.now().toISOString()
    const member: ImageMember = { project, status: 'pending', created_at: now, updated_at: now }
    await changeRecord(ground, record.uuid, ({ record: { visibility, members } }) => {
      if (visibility !== 'shared')
        throw new UserError(403, `Only shared images have members, and image ${record.uuid} is ${visibility}.`)
      if (members.some((each) => each.project === project))
        throw new UserError(409, `Project ${project} is already associated with image ${record.uuid}.`)
      if (members.length === MOST_MEMBERS)
        throw new UserError(413, `An image is shared with at most ${MOST_MEMBERS} projects: make it community instead.`)
      return { members: [...members, member] }
    })
    return call.json(memberView(record.uuid, member))
  })
  app.get(`${path}/:member`, async (call) => {
    const { record } = await entryOf(call, ground, call.req.param('image'))
    const project = call.req.param('member')
    const member = record.members.find((each) => each.project === project && maySee(call, record.owner, project))
    if (!member) throw noMember(project, record.uuid)
    return call.json(memberView(record.uuid, member))
  })
  app.put(`${path}/:member`, async (call) => {
    const { status } = update.parse(await readJson(call))
    const { record } = await entryOf(call, ground, call.req.param('image'))
    const project = call.req.param('member')
    if (project !== call.var.caller.project?.id && !isAdmin(call))
      throw new UserError(403, `Only project ${project} itself says whether it wants image ${record.uuid}.`)
    const updated_at = ground.clock.now().toISOString()
    const after = await changeRecord(ground, record.uuid, ({ record: { members } }) => {
      if (!members.some((each) => each.project === project)) throw noMember(project, record.uuid)
      return { members: members.map((each) => (each.project === project ? { ...each, status, updated_at } : each)) }
    })
    return call.json(
      memberView(
        record.uuid,
        after.record.members.find((each) => each.project === project)!,
      ),
    )
  })
  app.delete(`${path}/:member`, async (call) => {
    const { record } = await ownEntry(call, ground, call.req.param('image'), 'delete_member')
    const project = call.req.param('member')
    await changeRecord(ground, record.uuid, ({ record: { members } }) => {
      if (!members.some((each) => each.project === project)) throw noMember(project, record.uuid)
      return { members: members.filter((each) => each.project !== project) }
    })
    return call.body(null, 204)
  })
}

function maySee(call: Call, owner: string | null, project: string): boolean {
  return isAdmin(call) || isOwn(call, { owner }) || project === call.var.caller.project?.id
}

const noMember = (project: string, image: string): UserError =>
  new UserError(404, `${project.slice(0, 64)} not found in the member list of the image ${image}.`)
