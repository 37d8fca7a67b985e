import { z } from 'zod'
import { UserError } from '../../contract/api/faults.ts'
import { maskSecrets } from '../../contract/api/views.ts'
import { allowed } from '../../contract/policy.ts'
import { jsonObject, uuid } from '../../contract/resources.ts'
import { type Runbook, runbook as runbookSchema } from '../../contract/runbook.ts'
import { boolean, traitName } from '../../contract/stored.ts'
import type { Platform } from '../platform.ts'
import { runbookStore } from '../store/runbooks.ts'
import { requireAllowed } from './authorization.ts'
import type { Api, Call } from './context.ts'
import { create, creationOf, found, newborn, replyList, replyOne, type Resource, update } from './resource.ts'

const FREE_NAMES = 112
const { name, description, steps, owner } = runbookSchema.shape
const patched = z.strictObject({
  name,
  steps,
  description,
  owner,
  extra: jsonObject,
  disable_ramdisk: boolean,
  public: boolean,
})
const creation = z.strictObject({
  name,
  steps,
  uuid: uuid.nullish(),
  description: description.optional(),
  owner: owner.optional(),
  extra: jsonObject.nullish(),
  disable_ramdisk: boolean.nullish(),
  public: boolean.nullish(),
})

export const runbooks: Resource<Runbook> = {
  title: 'Runbook',
  ident: { argument: 'runbook', named: 92 },
  table: 'runbooks',
  path: 'runbooks',
  store: runbookStore,
  fields: Object.keys(runbookSchema.shape).filter((field) => field !== 'version'),
  short: ['uuid', 'name'],
  unsortable: ['extra', 'steps', 'traits'],
  view: ({ version: _version, ...runbook }) => ({
    ...runbook,
    steps: runbook.steps.map((step) => ({ ...step, args: maskSecrets(step.args) })),
  }),
}

export function runbookRoutes(app: Api, platform: Platform): void {
  app.get('/v1/runbooks', (call) => listed(call, platform))
  app.post('/v1/runbooks', async (call) => {
    const given = owned(call, await creationOf(call, 'runbooks', creation))
    checkName(call, given.name)
    return create(call, platform, runbooks, {
      ...newborn(platform, given.uuid),
      name: given.name,
      steps: given.steps,
      description: given.description ?? null,
      owner: given.owner ?? null,
      extra: given.extra ?? {},
      disable_ramdisk: given.disable_ramdisk ?? false,
      public: given.public ?? false,
      traits: [],
    })
  })
  app.get('/v1/runbooks/:runbook', async (call) =>
    replyOne(call, runbooks, await found(call, platform.table, runbooks, call.req.param('runbook'))),
  )
  app.patch('/v1/runbooks/:runbook', (call) =>
    update(call, platform, runbooks, call.req.param('runbook'), {
      schema: patched,
      defaults: {
        name: undefined,
        steps: undefined,
        description: null,
        owner: null,
        extra: {},
        disable_ramdisk: false,
        public: false,
      },
      decide: (before, after) => decided(call, before, after),
    }),
  )
  app.delete('/v1/runbooks/:runbook', async (call) => {
    const runbook = await found(call, platform.table, runbooks, call.req.param('runbook'))
    await runbookStore.remove(platform.table, runbook)
    return call.body(null, 204)
  })
}

function listed(call: Call, platform: Platform): Promise<Response> {
  const { caller } = call.var
  const project = allowed('baremetal:runbook:list_all', caller)
    ? (call.req.query('owner') ?? call.req.query('project'))
    : (caller.project?.id ?? '')
  const keep = project === undefined ? undefined : (runbook: Runbook) => runbook.public || runbook.owner === project
  return replyList(call, platform, runbooks, { filters: ['owner', 'project'], keep })
}

/** Of a project's administrator it is the project's; public ones are nobody's. */
function owned(call: Call, given: z.infer<typeof creation>): z.infer<typeof creation> {
  const { system, project } = call.var.caller
  if (system) return given.public ? { ...given, owner: null } : given
  if (given.owner && given.owner !== project?.id)
    throw new UserError(
      400,
      'Cannot create a runbook as a project scoped admin with an owner other than your own project.',
    )
  if (given.public) throw new UserError(400, 'Cannot create a public runbook as a project scoped admin.')
  return { ...given, owner: project?.id ?? null }
}

function decided(call: Call, before: Runbook, after: Runbook): Runbook {
  if (after.name !== before.name) checkName(call, after.name)
  if (after.public !== before.public || after.owner !== before.owner)
    requireAllowed(call, 'baremetal:runbook:update_public')
  return after.public ? { ...after, owner: null } : after
}

/** Before they had traits, runbooks were named after one. */
function checkName(call: Call, given: string): void {
  if (call.var.minor < FREE_NAMES && !traitName.safeParse(given).success)
    throw new UserError(400, `Schema error for runbook: name: ${given} is not a trait (CUSTOM_…).`)
}
