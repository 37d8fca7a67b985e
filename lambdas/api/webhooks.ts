import { UserError } from '../../contract/api/faults.ts'
import { allowed } from '../../contract/policy.ts'
import { MASK } from '../../contract/seal.ts'
import { type Webhook, webhook as webhookSchema, webhookStatus } from '../../contract/webhook.ts'
import type { Platform } from '../platform.ts'
import { allWebhooks, standingKey, standingOf, webhookStore } from '../store/webhooks.ts'
import type { WebhookConfig } from '../webhooks/config.ts'
import { secretBox } from '../webhooks/secret-box.ts'
import { newSecret } from '../webhooks/signature.ts'
import { requireTarget } from '../webhooks/target.ts'
import type { Api, Call } from './context.ts'
import { tagged } from './etag.ts'
import { onlyKnown } from './query.ts'
import { creationOf, found, newborn, replyList, type Resource, shown, update } from './resource.ts'
import { filterOf, requireSecret, webhookCreation, webhookPatched } from './webhook-input.ts'

/** Of one owner; each is looked at for every event. */
const MOST = 100

export const webhooks: Resource<Webhook> = {
  title: 'Webhook',
  ident: { argument: 'webhook', named: 1 },
  table: 'webhooks',
  path: 'webhooks',
  store: webhookStore,
  fields: Object.keys(webhookSchema.shape).filter((field) => field !== 'version'),
  short: ['uuid', 'name', 'url', 'enabled', 'owner', 'links'],
  unsortable: ['filter', 'secret'],
  view: ({ version: _version, ...webhook }) => ({ ...webhook, secret: MASK }),
}

export function webhookRoutes(app: Api, platform: Platform, config: WebhookConfig | undefined): void {
  const { table } = platform
  app.get('/v1/webhooks', (call) => {
    const all = allowed('bloomery:webhook:list_all', call.var.caller)
    const owner = all ? call.req.query('owner') : (call.var.caller.project?.id ?? '')
    const keep = owner === undefined ? undefined : (each: Webhook) => each.owner === owner
    return replyList(call, platform, webhooks, { filters: ['owner'], keep })
  })
  app.post('/v1/webhooks', (call) => created(call, platform, config))
  app.get('/v1/webhooks/:webhook', async (call) => {
    onlyKnown(call, [])
    const webhook = await found(call, table, webhooks, call.req.param('webhook'))
    const status = webhookStatus.parse(standingOf(await table.get(standingKey(webhook.uuid)), webhook))
    return tagged(call, webhook, { ...shown(call, webhooks, webhook), status })
  })
  app.patch('/v1/webhooks/:webhook', (call) =>
    update(call, platform, webhooks, call.req.param('webhook'), {
      schema: webhookPatched.transform(({ filter, ...rest }) => ({ ...rest, filter: filter as Webhook['filter'] })),
      defaults: {
        name: undefined,
        url: undefined,
        secret: undefined,
        filter: { kinds: null, sites: null, nodes: null, states: null },
        enabled: true,
      },
      decide: (before, after, touched) => decided(call, platform, config, before, after, touched),
    }),
  )
  app.delete('/v1/webhooks/:webhook', async (call) => {
    await webhookStore.remove(table, await found(call, table, webhooks, call.req.param('webhook')))
    return call.body(null, 204)
  })
}

/** A secret that is made here is shown this once. */
async function created(call: Call, platform: Platform, config: WebhookConfig | undefined): Promise<Response> {
  const given = await creationOf(call, 'webhooks', webhookCreation)
  const { key } = configured(config)
  requireTarget(given.url, configured(config))
  const owner = ownerOf(call, given.owner)
  const siblings = (await allWebhooks(platform.table)).filter((each) => each.owner === owner)
  if (siblings.length >= MOST) throw new UserError(409, `There are ${MOST} webhooks already: delete one first.`)
  const born = newborn(platform, given.uuid)
  const secret = given.secret ?? newSecret(Buffer.from(platform.ids.token(32), 'base64url'))
  const webhook: Webhook = {
    ...born,
    name: given.name,
    url: given.url,
    secret: secretBox(key).seal(secret, born.uuid),
    filter: await filterOf(call, platform, given.filter),
    enabled: given.enabled ?? true,
    disabled_reason: null,
    owner,
  }
  await webhookStore.save(platform.table, undefined, webhook)
  call.header('location', `${call.var.showing.base}/v1/webhooks/${webhook.uuid}`)
  const view = shown(call, webhooks, webhook)
  return tagged(call, webhook, given.secret ? view : { ...view, secret }, 201)
}

/** A project's are told of its own nodes; only who sees all nodes may make one that is told of all. */
function ownerOf(call: Call, given: string | null | undefined): string | null {
  const { system, project } = call.var.caller
  if (system) return given ?? null
  if (given && given !== project?.id) throw new UserError(403, 'owner: it can only be your own project.')
  return project?.id ?? ''
}

async function decided(
  call: Call,
  platform: Platform,
  config: WebhookConfig | undefined,
  before: Webhook,
  after: Webhook,
  touched: Set<string>,
): Promise<Webhook> {
  if (after.url !== before.url) requireTarget(after.url, configured(config))
  const isNew = touched.has('secret') && after.secret !== MASK
  const secret = isNew
    ? secretBox(configured(config).key).seal(requireSecret(after.secret), before.uuid)
    : before.secret
  return {
    ...after,
    secret,
    filter: touched.has('filter') ? await filterOf(call, platform, after.filter) : before.filter,
    disabled_reason: after.enabled ? null : before.disabled_reason,
  }
}

function configured(config: WebhookConfig | undefined): WebhookConfig {
  if (config) return config
  throw new UserError(501, "This cloud has no key to keep webhooks' secrets under.")
}
