import { poll } from '../../clock.ts'
import { type BmcPassword, requireMore } from '../../drivers/bmc.ts'
import { HardwareError, sentence } from '../../hardware-error.ts'
import type { StepContext, StepRunner } from '../step.ts'

/** Nobody is ever locked out: the new password is journalled (sealed) before the BMC hears of it, it counts only when a fresh session was
 * had with it, and until then the session under the old one is kept to put that back. */
export const rotateBmcPassword: StepRunner<'management.rotate_bmc_password'> = async (_args, on) => {
  const account = requireMore(await on.bmc(), on.plan.machine.driver, 'password')
  const journalled = on.memo.get('password')
  const fresh =
    journalled === undefined ? on.secrets.fresh(account.room) : on.secrets.open(account.key, JSON.parse(journalled))
  if (journalled === undefined) on.memo.set('password', JSON.stringify(on.secrets.seal(account.key, fresh)))
  // Only a second attempt asks first: a password that isn't there yet would count as a failed log-in.
  if (journalled === undefined || !(await counts(account, fresh, on, on.deadline))) await change(account, fresh, on)
  const sealed = on.memo.get('password')!
  on.rotated(account.key, JSON.parse(sealed))
}

const AGAIN_MS = 5000

/** Only the BMC knows which password is in force: while it can't be asked (after a power cut it starts longer than we do) nothing is given up. */
async function counts(account: BmcPassword, fresh: string, on: StepContext, until: Date): Promise<boolean> {
  const { clock, signal } = on
  let silence: HardwareError | undefined
  const told = await poll(clock, { until, everyMs: AGAIN_MS, signal }, async () => {
    try {
      return { works: await account.works(fresh) }
    } catch (error) {
      if (!(error instanceof HardwareError)) throw error
      silence = error
      on.note('waiting for the BMC, to see which password it has')
      return undefined
    }
  })
  if (told) return told.works
  throw silence ?? new HardwareError('the BMC could not be asked which password it has')
}

async function change(account: BmcPassword, fresh: string, on: StepContext): Promise<void> {
  const present = on.secrets.present(account.key)
  try {
    await account.set(fresh)
  } catch (error) {
    // It may be the answer that was lost, and not the question.
    if (error instanceof HardwareError && (await counts(account, fresh, on, on.deadline))) return
    throw error
  }
  let why = 'the BMC took the new password and then refused it'
  try {
    if (await counts(account, fresh, on, halfway(on))) return
  } catch (error) {
    why = `no session could be had with the new password: ${sentence(error)}`
  }
  if (present === undefined) throw new HardwareError(`${why}; the old one is not known here`)
  await account.set(present).catch((error: unknown) => {
    throw new HardwareError(`${why}, and the old one can't be put back (${sentence(error)}): see to this BMC's user`)
  })
  throw new HardwareError(`${why}; the old one is in force again`)
}

/** The rest is for putting the old one back. */
function halfway({ clock, deadline }: StepContext): Date {
  return new Date((clock.now().getTime() + deadline.getTime()) / 2)
}
