import type { Platform } from '../platform.ts'
import { TOKENS_DUE } from '../store/tokens.ts'
import { dueItems } from './due.ts'

export async function expireTokens({ table, clock }: Platform): Promise<void> {
  for await (const { pk, sk } of dueItems(table, TOKENS_DUE, clock.now())) await table.write([{ delete: { pk, sk } }])
}
