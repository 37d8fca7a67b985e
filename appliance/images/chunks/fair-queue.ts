/** Work of many, some of it at a time: whoever has work waiting gets a turn before anybody gets a second one, however much the others have.
 * Urgent work of one's own comes before one's other. */
export interface FairQueue {
  run<T>(lane: string, task: Task<T>): Promise<T>
}

export interface Task<T> {
  /** May become true while it waits. */
  urgent: boolean
  work(): Promise<T>
}

/** `atOnce` is asked whenever something might begin. */
export function openFairQueue(atOnce: () => number): FairQueue {
  const lanes = new Map<string, Array<Task<unknown> & { start(): void }>>()
  let running = 0

  function next(): void {
    while (running < atOnce()) {
      const [first] = lanes
      if (!first) return
      const [lane, waiting] = first
      const urgent = waiting.findIndex((task) => task.urgent)
      const [task] = waiting.splice(Math.max(0, urgent), 1)
      // To the end of the row, if there is more.
      lanes.delete(lane)
      if (waiting.length > 0) lanes.set(lane, waiting)
      running += 1
      task?.start()
    }
  }

  return {
    run: (lane, task) =>
      new Promise((resolve, reject) => {
        const start = (): void => {
          task
            .work()
            .then(resolve, reject)
            .finally(() => {
              running -= 1
              next()
            })
        }
        // The task itself waits, not a copy: it may become urgent.
        const waiting = Object.defineProperty({ start, work: task.work, urgent: false }, 'urgent', {
          get: () => task.urgent,
        })
        lanes.set(lane, [...(lanes.get(lane) ?? []), waiting])
        next()
      }),
  }
}
