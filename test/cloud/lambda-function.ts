import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

const START_MS = 120_000
const LINES_KEPT = 500

export interface LambdaFunction {
  invoke<Result>(event: unknown): Promise<Result>
  /** The last lines that it logged. */
  log: string[]
  stop(): Promise<void>
}

interface Answer {
  id?: number
  ready?: true
  result?: unknown
  error?: string
}

/** Starts a function from its bundle. `timeoutMs` is its timeout in the template: a call that takes longer fails. */
export async function startFunction(
  bundle: string,
  env: Record<string, string>,
  timeoutMs: number,
): Promise<LambdaFunction> {
  const child = fork(join(import.meta.dirname, 'lambda-runtime.ts'), [bundle], { env, silent: true, execArgv: [] })
  const exited = once(child, 'exit')
  const log: string[] = []
  for (const stream of [child.stdout, child.stderr]) {
    if (!stream) continue
    createInterface({ input: stream }).on('line', (line) => {
      log.push(line)
      if (log.length > LINES_KEPT) log.shift()
    })
  }
  const waiting = new Map<number, PromiseWithResolvers<unknown>>()
  const ready = Promise.withResolvers<void>()
  const said = (why: string) => new Error(`${bundle} ${why}; it logged:\n${log.slice(-20).join('\n')}`)
  child.on('message', ({ id, ready: isReady, result, error }: Answer) => {
    if (isReady) ready.resolve()
    const call = id === undefined ? undefined : waiting.get(id)
    if (error === undefined) call?.resolve(result)
    else call?.reject(new Error(error))
  })
  child.on('exit', () => {
    for (const call of [ready, ...waiting.values()]) call.reject(said('ended'))
  })
  const late = setTimeout(() => ready.reject(said(`did not load within ${START_MS} ms`)), START_MS)
  const stop = async () => {
    child.kill()
    await exited
  }
  try {
    await ready.promise
  } catch (error) {
    if (child.exitCode === null) await stop()
    throw error
  } finally {
    clearTimeout(late)
  }

  let calls = 0
  return {
    log,
    stop,
    async invoke<Result>(event: unknown) {
      const id = ++calls
      const call = Promise.withResolvers<unknown>()
      waiting.set(id, call)
      const late = setTimeout(() => call.reject(said(`did not answer within ${timeoutMs} ms`)), timeoutMs)
      child.send({ id, event })
      try {
        return (await call.promise) as Result
      } finally {
        clearTimeout(late)
        waiting.delete(id)
      }
    },
  }
}
