import { z } from 'zod'
import { maskSecrets } from '../../contract/api/views.ts'
import { type DeployTemplate, deployTemplate } from '../../contract/deploy-template.ts'
import { jsonObject, uuid } from '../../contract/resources.ts'
import type { Platform } from '../platform.ts'
import { deployTemplateStore } from '../store/deploy-templates.ts'
import type { Api } from './context.ts'
import { create, creationOf, found, newborn, replyList, replyOne, type Resource, update } from './resource.ts'

const { name, description, steps } = deployTemplate.shape
const writable = { name, steps, description: description.optional(), extra: jsonObject.nullish() }
const creation = z.strictObject({ ...writable, uuid: uuid.nullish() })
const patched = z.strictObject({ name, steps, description, extra: jsonObject })

const templates: Resource<DeployTemplate> = {
  title: 'Deploy template',
  ident: { argument: 'deploy_template', named: 55 },
  table: 'deploy_templates',
  path: 'deploy_templates',
  store: deployTemplateStore,
  fields: ['uuid', 'name', 'description', 'steps', 'extra', 'created_at', 'updated_at'],
  short: ['uuid', 'name'],
  unsortable: ['extra', 'steps'],
  view: ({ version: _version, ...template }) => ({
    ...template,
    steps: template.steps.map((step) => ({ ...step, args: maskSecrets(step.args) })),
  }),
}

export function deployTemplateRoutes(app: Api, platform: Platform): void {
  app.get('/v1/deploy_templates', (call) => replyList(call, platform, templates))
  app.post('/v1/deploy_templates', async (call) => {
    const {
      uuid: own,
      description: text = null,
      extra,
      ...given
    } = await creationOf(call, 'deploy_templates', creation)
    const value = { ...newborn(platform, own), ...given, description: text, extra: extra ?? {} }
    return create(call, platform, templates, value)
  })
  app.get('/v1/deploy_templates/:template', async (call) =>
    replyOne(call, templates, await found(call, platform.table, templates, call.req.param('template'))),
  )
  app.patch('/v1/deploy_templates/:template', (call) =>
    update(call, platform, templates, call.req.param('template'), {
      schema: patched,
      defaults: { name: undefined, steps: undefined, description: null, extra: {} },
    }),
  )
  app.delete('/v1/deploy_templates/:template', async (call) => {
    const template = await found(call, platform.table, templates, call.req.param('template'))
    await deployTemplateStore.remove(platform.table, template)
    return call.body(null, 204)
  })
}
