import { createHmac } from 'node:crypto'
import type { Delivery } from '../../contract/webhook.ts'

/** A delivery as the Standard Webhooks specification has it (1.0.0, "Webhook metadata" and "Signature scheme"), so that receivers can
 * verify it with a library that they have. */

export interface Message {
  headers: Record<string, string>
  body: string
}

const PREFIX = 'whsec_'
const types: Record<Delivery['event']['kind'], string> = {
  provisioning: 'node.provisioning',
  power: 'node.power',
  maintenance: 'node.maintenance',
  health: 'node.health',
  site: 'site.notice',
  webhook: 'webhook.disabled',
}

export function messageOf({ id, event }: Pick<Delivery, 'id' | 'event'>, secret: string, now: Date): Message {
  const type = types[event.kind]
  const body = JSON.stringify({ type, timestamp: event.at, data: event })
  const timestamp = String(Math.floor(now.getTime() / 1000))
  return {
    body,
    headers: {
      'content-type': 'application/json',
      'user-agent': 'Bloomery-Webhooks/1',
      'webhook-id': id,
      'webhook-timestamp': timestamp,
      'webhook-signature': signature(secret, `${id}.${timestamp}.${body}`),
    },
  }
}

export function signature(secret: string, signed: string): string {
  return `v1,${createHmac('sha256', keyOf(secret)).update(signed).digest('base64')}`
}

/** A secret with the prefix is base64 of the key, as libraries expect it; any other text is the key itself. */
function keyOf(secret: string): Buffer {
  return secret.startsWith(PREFIX) ? Buffer.from(secret.slice(PREFIX.length), 'base64') : Buffer.from(secret, 'utf8')
}

export function newSecret(bytes: Uint8Array): string {
  return PREFIX + Buffer.from(bytes).toString('base64')
}
