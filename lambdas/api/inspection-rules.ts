import { z } from 'zod'
import { UserError } from '../../contract/api/faults.ts'
import { links } from '../../contract/api/views.ts'
import { type InspectionRule, inspectionRule } from '../../contract/inspection-rule.ts'
import { uuid } from '../../contract/resources.ts'
import type { Platform } from '../platform.ts'
import { inspectionRuleStore } from '../store/inspection-rules.ts'
import type { Api } from './context.ts'
import { create, creationOf, found, newborn, replyList, replyOne, type Resource, update } from './resource.ts'

const { description, phase, priority, sensitive, actions, conditions } = inspectionRule.shape
const writable = { description, phase, priority, sensitive, actions, conditions }
const creation = z.strictObject({
  uuid: uuid.nullish(),
  description: description.optional(),
  phase: phase.nullish(),
  priority: priority.optional(),
  sensitive: sensitive.nullish(),
  actions,
  conditions: conditions.optional(),
})

const rules: Resource<InspectionRule> = {
  title: 'Inspection rule',
  ident: { argument: 'inspection_rule' },
  table: 'inspection_rules',
  path: 'inspection_rules',
  store: inspectionRuleStore,
  fields: ['uuid', ...Object.keys(writable), 'created_at', 'updated_at'],
  short: ['uuid', 'priority', 'phase', 'description'],
  unsortable: ['actions', 'conditions'],
  view: ({ version: _version, ...rule }, call) => ({
    ...rule,
    actions: rule.sensitive ? null : rule.actions.map((action) => ({ ...action, loop: action.loop ?? [] })),
    conditions: rule.sensitive ? null : rule.conditions,
    // Ironic's own word in this one place.
    links: links(call.var.showing, `inspection/${rule.uuid}`),
  }),
}

export function inspectionRuleRoutes(app: Api, platform: Platform): void {
  app.get('/v1/inspection_rules', (call) => {
    const wanted = call.req.query('phase')
    const keep = wanted === undefined ? undefined : (rule: InspectionRule) => rule.phase === wanted
    return replyList(call, platform, rules, { filters: ['phase'], keep })
  })
  app.post('/v1/inspection_rules', async (call) => {
    const given = await creationOf(call, 'inspection_rules', creation)
    return create(call, platform, rules, {
      ...newborn(platform, given.uuid),
      description: given.description ?? null,
      phase: given.phase ?? 'main',
      priority: given.priority ?? 0,
      sensitive: given.sensitive ?? false,
      actions: given.actions,
      conditions: given.conditions ?? [],
    })
  })
  app.get('/v1/inspection_rules/:rule', async (call) =>
    replyOne(call, rules, await found(call, platform.table, rules, call.req.param('rule'))),
  )
  app.patch('/v1/inspection_rules/:rule', (call) =>
    update(call, platform, rules, call.req.param('rule'), {
      schema: z.strictObject(writable),
      defaults: {
        description: null,
        phase: 'main',
        priority: 0,
        sensitive: false,
        actions: undefined,
        conditions: [],
      },
      decide(before, after) {
        if (before.sensitive && !after.sensitive)
          throw new UserError(400, 'Inspection rules cannot have the sensitive flag unset.')
        return after
      },
    }),
  )
  app.delete('/v1/inspection_rules/:rule', async (call) => {
    const rule = await found(call, platform.table, rules, call.req.param('rule'))
    await inspectionRuleStore.remove(platform.table, rule)
    return call.body(null, 204)
  })
}
