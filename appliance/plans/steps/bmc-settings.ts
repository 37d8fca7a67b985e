import { accountWish, type BmcAccount } from '../../../contract/bmc-settings.ts'
import { type BmcManagement, requireMore } from '../../drivers/bmc.ts'
import type { StepContext, StepRunner } from '../step.ts'
import { answering, Refused } from './answering.ts'

/** What a BMC is told of itself: its connection, its users, its watchdog; and of the machine's firmware the boot order. Twice is once. */

async function have<K extends keyof BmcManagement>(on: StepContext, part: K): Promise<BmcManagement[K]> {
  return requireMore(await on.bmc(), on.plan.machine.driver, part)
}

export const setBootOrder: StepRunner<'management.set_boot_order'> = async ({ order }, on) => {
  on.note('changing the boot order')
  await (await have(on, 'bootOrder')).set(order)
}

export const getBootOptions: StepRunner<'vendor.get_boot_options'> = (_args, on) =>
  answering(on, 'reading the boot options', async () => ({ ...(await (await have(on, 'bootOrder')).read()) }))

export const setLanConfiguration: StepRunner<'management.set_lan_configuration'> = async (wish, on) => {
  on.note("changing the BMC's network configuration")
  await (await have(on, 'lan')).write(wish)
}

export const getLanConfiguration: StepRunner<'vendor.get_lan_configuration'> = (_args, on) =>
  answering(on, "reading the BMC's network configuration", async () => (await have(on, 'lan')).read())

export const setWatchdog: StepRunner<'management.set_watchdog'> = async (wish, on) => {
  on.note(wish.running ? 'setting the watchdog' : 'stopping the watchdog')
  await (await have(on, 'watchdog')).set(wish)
}

export const getWatchdog: StepRunner<'vendor.get_watchdog'> = (_args, on) =>
  answering(on, 'reading the watchdog', async () => ({ ...(await (await have(on, 'watchdog')).read()) }))

export const getUsers: StepRunner<'vendor.get_users'> = (_args, on) =>
  answering(on, 'listing the users of the BMC', async () => ({
    users: (await (await have(on, 'accounts')).list()).map(shown),
  }))

/** Whom the site itself logs in as is changed by rotation alone, which can't lock it out. */
export const setUser: StepRunner<'vendor.set_user'> = ({ wish: sealed }, on) =>
  answering(on, 'setting a user of the BMC', async () => {
    const wish = accountWish.parse(JSON.parse(on.secrets.open('wish', sealed)))
    if (wish.name === (await have(on, 'ownName'))())
      throw new Refused(
        `${wish.name} is whom the site itself logs in as: step management.rotate_bmc_password gives it a new password`,
      )
    const accounts = await have(on, 'accounts')
    await accounts.put(wish)
    const found = (await accounts.list()).find(({ name }) => name === wish.name)
    return found ? shown(found) : null
  })

function shown({ name, enabled, privilege }: BmcAccount) {
  return { name, enabled: enabled ?? null, privilege: privilege ?? null }
}
