/** What a step found: more to do; nothing until woken, or until so many milliseconds have passed; or it must rest, woken or not. */
export type StepResult = 'again' | { idle: number | undefined } | { rest: number }

const AFTER_BUG_MS = 1000

/** Runs `step` again and again, one at a time, sleeping as its result says. */
export class Worker {
  readonly #step: () => Promise<StepResult>
  readonly #onError: (error: unknown) => void
  readonly #running: Promise<void>
  #stopped = false
  #woken = false
  #rouse: (() => void) | undefined

  constructor(step: () => Promise<StepResult>, onError: (error: unknown) => void) {
    this.#step = step
    this.#onError = onError
    this.#running = this.#run()
  }

  /** There may be work. Doesn't cut a rest short. */
  wake(): void {
    this.#woken = true
    this.#rouse?.()
  }

  /** Resolves when the step in progress has ended. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#rouse?.()
    await this.#running
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      this.#woken = false
      let result: StepResult
      try {
        result = await this.#step()
      } catch (error) {
        this.#onError(error)
        result = { rest: AFTER_BUG_MS }
      }
      if (result !== 'again') await this.#sleep(result)
    }
  }

  async #sleep(result: { idle: number | undefined } | { rest: number }): Promise<void> {
    const rests = 'rest' in result
    if (this.#stopped || (!rests && this.#woken)) return
    await new Promise<void>((resolve) => {
      const ms = rests ? result.rest : result.idle
      const timer = ms === undefined ? undefined : setTimeout(resolve, ms)
      this.#rouse = () => {
        if (rests && !this.#stopped) return
        clearTimeout(timer)
        resolve()
      }
    })
    this.#rouse = undefined
  }
}
