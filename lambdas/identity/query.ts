import { DOMAIN } from '../../contract/identity.ts'
import type { Call } from './context.ts'

/** Those that the filters of the query keep: name, enabled, domain_id. Others are let pass, as Keystone does. */
export function matching<T extends { name: string; enabled?: boolean }>(call: Call, items: T[]): T[] {
  const { name, enabled, domain_id: domain } = call.req.query()
  if (domain !== undefined && domain !== DOMAIN) return []
  const on = enabled === undefined ? undefined : !['0', 'false', 'no', 'off'].includes(enabled.toLowerCase())
  return items.filter((each) => (name === undefined || each.name === name) && (on === undefined || each.enabled === on))
}
