import { isIP } from 'node:net'
import { UserError } from '../../contract/api/faults.ts'
import { addressGuard } from './address-guard.ts'
import type { WebhookConfig } from './config.ts'

/** Refuses a URL that could never be delivered to; names are looked up when it is, and again each time. */
export function requireTarget(text: string, { networks, http }: Pick<WebhookConfig, 'networks' | 'http'>): void {
  const url = new URL(text)
  if (url.protocol !== 'https:' && !http) throw new UserError(400, 'url: events are delivered by https only.')
  if (url.username !== '' || url.password !== '')
    throw new UserError(400, 'url: no user name or password, since a URL is shown: receivers verify the signature.')
  if (url.hash !== '') throw new UserError(400, 'url: a fragment is never sent.')
  const host = bareHost(url)
  if (host === 'localhost' || host.endsWith('.localhost')) requireAddress('127.0.0.1', networks)
  if (isIP(host) !== 0) requireAddress(host, networks)
}

export function bareHost({ hostname }: URL): string {
  return hostname.replaceAll(/[[\]]/g, '')
}

function requireAddress(address: string, networks: readonly string[]): void {
  if (!addressGuard(networks).allows(address))
    throw new UserError(400, `url: ${address} is not a public address, and in no network that the cloud may reach.`)
}
