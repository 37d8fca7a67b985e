import type { WebhookConfig } from '../webhooks/config.ts'
import { requiredOf } from './environment.ts'
import { readSecret } from './secret.ts'

/** A function outside any VPC reaches the public Internet and nothing else; nor shall it. */
export async function readWebhooks(variables: Record<string, string | undefined>): Promise<WebhookConfig> {
  const key = await readSecret(requiredOf(variables, 'WEBHOOK_KEY'))
  return { key: key.trim(), networks: [], http: false }
}
