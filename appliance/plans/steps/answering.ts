import { MOST_ANSWER } from '../../../contract/answer.ts'
import { HardwareError, sentence } from '../../hardware-error.ts'
import type { StepContext } from '../step.ts'

/** Of what the question was wrong in, not the BMC. */
export class Refused extends HardwareError {}

type Body = Record<string, unknown> | null

/** Does what somebody waits for the answer of, and gives them that; what goes wrong is told to them, and to nobody else.
 * `missing`: the status where the BMC refuses. */
export async function answering(
  on: StepContext,
  what: string,
  ask: () => Promise<Body>,
  missing: 404 | 500 = 500,
): Promise<void> {
  on.note(what)
  try {
    const body = await ask()
    if (JSON.stringify(body).length > MOST_ANSWER)
      throw new HardwareError(`the BMC's answer has more than ${MOST_ANSWER} characters`)
    on.answered({ body })
  } catch (error) {
    on.signal.throwIfAborted()
    if (!(error instanceof HardwareError)) throw error
    const status = error instanceof Refused ? 400 : missing
    const said = status === 400 ? sentence(error) : `${what} failed for node ${on.plan.node}. Error: ${sentence(error)}`
    on.answered({ fault: said.slice(0, 4000), status })
  }
}
