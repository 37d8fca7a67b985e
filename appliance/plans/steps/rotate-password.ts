import { type BmcPassword, requireMore } from '../../drivers/bmc.ts'
import { HardwareError, sentence } from '../../hardware-error.ts'
import type { StepRunner } from '../step.ts'

/** Nobody is ever locked out: the new password is journalled (sealed) before the BMC hears of it, it counts only when a fresh session was
 * had with it, and until then the session under the old one is kept to put that back. */
export const rotateBmcPassword: StepRunner<'management.rotate_bmc_password'> = async (_args, on) => {
  const account = requireMore(await on.bmc(), on.plan.machine.driver, 'password')
  const journalled = on.memo.get('password')
  const fresh =
    journalled === undefined ? on.secrets.fresh(account.room) : on.secrets.open(account.key, JSON.parse(journalled))
  if (journalled === undefined) on.memo.set('password', JSON.stringify(on.secrets.seal(account.key, fresh)))
  // Only a second attempt asks first: a password that isn't there yet would count as a failed log-in.
  if (journalled === undefined || !(await account.works(fresh)))
    await change(account, fresh, on.secrets.present(account.key))
  const sealed = on.memo.get('password')!
  on.rotated(account.key, JSON.parse(sealed))
}

async function change(account: BmcPassword, fresh: string, present: string | undefined): Promise<void> {
  await account.set(fresh)
  let why = 'the BMC took the new password and then refused it'
  try {
    if (await account.works(fresh)) return
  } catch (error) {
    why = `no session could be had with the new password: ${sentence(error)}`
  }
  if (present === undefined) throw new HardwareError(`${why}; the old one is not known here`)
  await account.set(present).catch((error: unknown) => {
    throw new HardwareError(`${why}, and the old one can't be put back (${sentence(error)}): see to this BMC's user`)
  })
  throw new HardwareError(`${why}; the old one is in force again`)
}
