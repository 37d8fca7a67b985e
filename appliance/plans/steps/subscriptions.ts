import { type Subscription, shownSubscription, subscription } from '../../../contract/subscription.ts'
import { type BmcSubscriptions, requireMore } from '../../drivers/bmc.ts'
import type { StepContext, StepRunner } from '../step.ts'
import { answering, Refused } from './answering.ts'

/** Ironic's vendor methods about event subscriptions of a BMC (reference §4.5): whoever operates the machine has it tell them. */

export const createSubscription: StepRunner<'vendor.create_subscription'> = ({ wish: sealed }, on) =>
  answering(on, 'creating an event subscription', async () => {
    const wish = subscription.parse(JSON.parse(on.secrets.open('wish', sealed)))
    const held = await subscriptionsOf(on)
    await requireTypes(wish, held)
    // A second attempt looks for what the first may have made: a BMC has room for few.
    const again = on.memo.get('begun') !== undefined
    on.memo.set('begun', 'yes')
    return shownSubscription((again ? await held.find(wish) : undefined) ?? (await held.create(wish)))
  })

async function requireTypes({ EventTypes: asked }: Subscription, held: BmcSubscriptions): Promise<void> {
  if (!asked) return
  const offered = await held.eventTypes()
  if (offered.length > 0 && !asked.every((type) => offered.includes(type)))
    throw new Refused(
      `EventTypes ${asked.join(', ')} is not a valid value, allowed values ${offered.join(', ')}`.slice(0, 1024),
    )
}

export const deleteSubscription: StepRunner<'vendor.delete_subscription'> = ({ id }, on) =>
  answering(
    on,
    `deleting event subscription ${id}`,
    async () => {
      const again = on.memo.get('begun') !== undefined
      on.memo.set('begun', 'yes')
      await (await subscriptionsOf(on)).remove(id, again)
      return null
    },
    404,
  )

export const getSubscription: StepRunner<'vendor.get_subscription'> = ({ id }, on) =>
  answering(on, `reading event subscription ${id}`, async () =>
    shownSubscription(await (await subscriptionsOf(on)).read(id)),
  )

export const getAllSubscriptions: StepRunner<'vendor.get_all_subscriptions'> = (_args, on) =>
  answering(on, 'listing event subscriptions', async () => (await subscriptionsOf(on)).all())

async function subscriptionsOf(on: StepContext): Promise<BmcSubscriptions> {
  return requireMore(await on.bmc(), on.plan.machine.driver, 'subscriptions')
}
