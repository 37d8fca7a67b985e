import { createHash } from 'node:crypto'
import { z } from 'zod'
import { instant, siteName } from '../../contract/resources.ts'
import type { Item, Key, Table } from '../platform.ts'

/** Enrolment tokens. Only their digests are stored: who reads the table can't enrol. */

export const TOKENS_DUE = 'due-tokens'

export const tokenKey = (token: string): Key => ({
  pk: `token#${createHash('sha256').update(token).digest('hex')}`,
  sk: 'token',
})

const grant = z.object({ site: siteName, expires: instant })
export type Grant = z.infer<typeof grant>

export function tokenItem(token: string, value: Grant): Item {
  const key = tokenKey(token)
  return {
    ...key,
    version: 1,
    value,
    by: { due: { pk: TOKENS_DUE, sk: `${value.expires}#${key.pk}` } },
    expires: Math.ceil(Date.parse(value.expires) / 1000),
  }
}

/** What a token allows, as long as it does. */
export async function getGrant(table: Table, token: string, now: Date): Promise<Grant | undefined> {
  const item = await table.get(tokenKey(token))
  const found = item && grant.parse(item.value)
  return found && Date.parse(found.expires) > now.getTime() ? found : undefined
}
