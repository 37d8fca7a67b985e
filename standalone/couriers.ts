import type { Couriers, Platform } from '../lambdas/platform.ts'
import { addressGuard } from '../lambdas/webhooks/address-guard.ts'
import type { WebhookConfig } from '../lambdas/webhooks/config.ts'
import { type Courier, deliver } from '../lambdas/webhooks/deliver.ts'
import { post } from '../lambdas/webhooks/post.ts'
import { secretBox } from '../lambdas/webhooks/secret-box.ts'
import { Worker, type StepResult } from './worker.ts'

const TURN_MS = 5000

/** One worker for each webhook that was ever woken, so that each goes at its receiver's pace. */
export class LocalCouriers implements Couriers {
  readonly #courier: Courier
  readonly #workers = new Map<string, Worker>()
  readonly #stopping = new AbortController()

  constructor(ground: Omit<Platform, 'couriers'>, config: WebhookConfig) {
    const guard = addressGuard(config.networks)
    this.#courier = {
      ...ground,
      box: secretBox(config.key),
      random: Math.random,
      name: 'local',
      send: (url, message) => post(url, message, guard, this.#stopping.signal),
    }
  }

  wake(webhook: string): Promise<void> {
    if (this.#stopping.signal.aborted) return Promise.resolve()
    const known = this.#workers.get(webhook)
    if (known) known.wake()
    else this.#workers.set(webhook, this.#worker(webhook))
    return Promise.resolve()
  }

  /** What is on its way is cut off, and sent again by the next life. */
  async stop(): Promise<void> {
    this.#stopping.abort(new Error('stopping'))
    await Promise.all([...this.#workers.values()].map((worker) => worker.stop()))
  }

  #worker(webhook: string): Worker {
    const { clock, log } = this.#courier
    const step = async (): Promise<StepResult> => {
      const next = await deliver(this.#courier, webhook, new Date(clock.now().getTime() + TURN_MS))
      const ms = next && next.getTime() - clock.now().getTime()
      return ms !== undefined && ms <= 0 ? 'again' : { idle: ms }
    }
    return new Worker(step, (error) => {
      if (!this.#stopping.signal.aborted) log.error({ webhook, error: String(error) }, 'delivering failed')
    })
  }
}
