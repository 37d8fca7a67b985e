import { z } from 'zod'
import { provisionState, siteName, uuid } from '../../contract/resources.ts'
import { boolean } from '../../contract/stored.ts'
import { type WebhookFilter, webhook, webhookFilter } from '../../contract/webhook.ts'
import type { Platform } from '../platform.ts'
import { namedNode } from './belonging.ts'
import type { Call } from './context.ts'

/** What people say of webhooks. Nodes may be given by name; they are kept by uuid. */

const { name, url, owner } = webhook.shape
const some = <T extends z.ZodType>(of: T) => z.array(of).min(1).max(100).nullish()
const { kinds } = webhookFilter.shape
const filter = z.strictObject({
  kinds: kinds.optional(),
  sites: some(siteName),
  nodes: some(z.string().min(1).max(255)),
  states: some(provisionState),
})
/** RFC 2104 §3: a key that is shorter than the hash makes it weaker. */
const secret = z.string().min(24, 'a secret has 24 letters or more').max(1024)

export const webhookCreation = z.strictObject({
  name,
  url,
  secret: secret.nullish(),
  filter: filter.nullish(),
  enabled: boolean.nullish(),
  owner: owner.optional(),
  uuid: uuid.nullish(),
})

export const webhookPatched = z.strictObject({ name, url, secret: z.string(), filter, enabled: boolean })

export function requireSecret(given: string): string {
  return z.object({ secret }).parse({ secret: given }).secret
}

export async function filterOf(
  call: Call,
  platform: Pick<Platform, 'table'>,
  given: z.infer<typeof filter> | null | undefined,
): Promise<WebhookFilter> {
  const nodes = given?.nodes ? await Promise.all(given.nodes.map((ident) => namedNode(call, platform, ident))) : null
  const uuids = nodes && [...new Set(nodes.map((node) => node.uuid))]
  return {
    kinds: given?.kinds ?? null,
    sites: given?.sites ?? null,
    nodes: uuids,
    states: given?.states ?? null,
  }
}
