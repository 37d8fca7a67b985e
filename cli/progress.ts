import { Listr, PRESET_TIMER } from 'listr2'
import { stepName, type Course } from './course.ts'
import { printable } from './output.ts'

/** Shows operations as they go on. */
export interface Progress {
  see(courses: readonly Course[], state: string): void
  /** `failure`: why it ended otherwise than wished. */
  end(failure: string | undefined): Promise<void>
}

export const silent: Progress = { see: () => undefined, end: () => Promise.resolve() }

/** One line for each state, step and tenth of a step: for logs. */
export function plainLines(write: (line: string) => void): Progress {
  let [state, told] = ['', '']
  return {
    see(courses, now) {
      if (now !== state) write(`state: ${now}`)
      state = now
      const course = courses.at(-1)
      if (!course || course.seconds) return
      const tenth = course.percent === null ? '' : ` ${Math.floor(course.percent / 10) * 10}%`
      const line = `${course.kind} ${course.step + 1}/${course.names.length}: ${printable(stepName(course, course.step))}${tenth}`
      if (`${course.generation} ${line}` !== told) write(line)
      told = `${course.generation} ${line}`
    },
    end: () => Promise.resolve(),
  }
}

interface Row {
  done: PromiseWithResolvers<void>
  /** Once it is on the screen. */
  rename?: (title: string) => void
}

/** A task list per operation, of its steps. */
export function taskList(): Progress {
  const lists = new Map<number, Row[]>()
  let running: Row | undefined
  let shown: Promise<unknown> = Promise.resolve()

  function begin(course: Course): Row[] {
    const rows = course.names.map((): Row => ({ done: Promise.withResolvers() }))
    for (const { done } of rows) done.promise.catch(() => undefined)
    const list = new Listr(
      rows.map((row, step) => ({
        title: printable(stepName(course, step)),
        task: (_, shownTask) => {
          row.rename = (title) => (shownTask.title = title)
          return row.done.promise
        },
      })),
      { rendererOptions: { timer: PRESET_TIMER } },
    )
    shown = shown.then(() => list.run()).catch(() => undefined)
    lists.set(course.generation, rows)
    return rows
  }

  function draw(course: Course): void {
    const rows = lists.get(course.generation) ?? begin(course)
    const { step, percent, note, seconds } = course
    for (const row of seconds ? rows.slice(0, seconds.length - 1) : rows.slice(0, step)) row.done.resolve()
    running = rows[step]
    if (!running?.rename || seconds) return
    const part = percent === null ? '' : ` ${Math.floor(percent)}%`
    running.rename(printable(`${stepName(course, step)}${part}${note ? ` (${note})` : ''}`))
  }

  return {
    see(courses) {
      for (const course of courses.slice(0, -1))
        for (const row of lists.get(course.generation) ?? []) row.done.resolve()
      for (const course of courses) draw(course)
    },
    async end(failure) {
      if (failure !== undefined) running?.done.reject(new Error(printable(failure)))
      for (const rows of lists.values()) for (const row of rows) row.done.resolve()
      await shown
    },
  }
}
