import type { Platform } from '../platform.ts'
import { WEBHOOKS_DUE } from '../store/webhooks.ts'
import { dueItems } from './due.ts'

/** Webhooks whose receiver has rested, or whose courier died. */
export async function wakeCouriers({ table, clock, couriers }: Platform): Promise<void> {
  for await (const { value } of dueItems(table, WEBHOOKS_DUE, clock.now()))
    await couriers.wake((value as { webhook: string }).webhook)
}
