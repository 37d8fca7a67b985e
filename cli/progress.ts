import { Listr, type ListrTaskWrapper } from 'listr2'
import { printable } from './output.ts'
import { secondsOf, type Segment } from './timeline.ts'

/** Shows a timeline as it grows. */
export interface Progress {
  see(timeline: readonly Segment[], state: string): void
  /** `failure`: why it ended otherwise than wished. */
  end(timeline: readonly Segment[], failure: string | undefined): Promise<void>
}

export const silent: Progress = { see: () => undefined, end: () => Promise.resolve() }

/** One line for each state, step and tenth of a step: for logs. */
export function plainLines(write: (line: string) => void): Progress {
  let [state, told] = ['', '']
  return {
    see(timeline, now) {
      if (now !== state) write(`state     ${now}`)
      state = now
      const current = timeline.at(-1)
      if (!current || current.ended !== undefined) return
      const { generation, step, steps, operation, name, percent } = current
      const tenth = percent === null ? '' : ` ${Math.floor(percent / 10) * 10}%`
      if (`${generation} ${step} ${name}${tenth}` !== told)
        write(`${operation}  ${step + 1}/${steps} ${printable(name)}${tenth}`)
      told = `${generation} ${step} ${name}${tenth}`
    },
    end(_, failure) {
      if (failure !== undefined) write(`failed    ${printable(failure)}`)
      return Promise.resolve()
    },
  }
}

interface Row {
  done: PromiseWithResolvers<void>
  wrapper?: ListrTaskWrapper<unknown, never, never>
}

/** A task list per operation: its steps, of which the coming ones get their names when they begin. */
export function taskList(): Progress {
  const lists = new Map<number, Row[]>()
  let shown: Promise<unknown> = Promise.resolve()

  function begin({ generation, steps, operation }: Segment): Row[] {
    for (const rows of lists.values()) for (const row of rows) row.done.resolve()
    const rows = Array.from({ length: steps }, (): Row => ({ done: Promise.withResolvers() }))
    for (const { done } of rows) done.promise.catch(() => undefined)
    const tasks = rows.map((row, index) => ({
      title: `${operation} ${index + 1}/${steps}`,
      task: (_: unknown, wrapper: Row['wrapper']) => {
        row.wrapper = wrapper
        return row.done.promise
      },
    }))
    const run = (): Promise<unknown> => new Listr(tasks as never, { exitOnError: true }).run().catch(() => undefined)
    shown = shown.then(run)
    lists.set(generation, rows)
    return rows
  }

  function draw(segment: Segment): void {
    const rows = lists.get(segment.generation) ?? begin(segment)
    for (const earlier of rows.slice(0, segment.step)) earlier.done.resolve()
    const row = rows[segment.step]
    const percent = segment.percent === null ? '' : ` ${Math.floor(segment.percent)}%`
    const took = segment.ended === undefined ? percent : ` (${secondsOf(segment, segment.ended).toFixed(1)} s)`
    const note = segment.note && segment.ended === undefined ? `: ${printable(segment.note)}` : ''
    if (row?.wrapper)
      row.wrapper.title = `${segment.operation} ${segment.step + 1}/${segment.steps} ${segment.name}${took}${note}`
    if (segment.ended !== undefined) row?.done.resolve()
  }

  return {
    see: (timeline) => timeline.slice(-2).forEach(draw),
    async end(timeline, failure) {
      const last = timeline.at(-1)
      const rows = last ? (lists.get(last.generation) ?? []) : []
      if (failure !== undefined && last) rows[last.step]?.done.reject(new Error(printable(failure)))
      else for (const row of rows) row.done.resolve()
      await shown
    },
  }
}
