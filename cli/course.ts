import { z } from 'zod'
import type { NodeView } from '../contract/api/views.ts'

/** One operation on a node as the API shows it, first while it runs and then with where its time went. */
export interface Course {
  generation: number
  kind: string
  /** Of the steps, such as `deploy.write_image`. */
  names: readonly string[]
  /** The running one. */
  step: number
  percent: number | null
  note: string | null
  /** Of each step that ran, once the operation is over. */
  seconds: readonly number[] | undefined
}

const finished = z.object({
  kind: z.string(),
  generation: z.number(),
  names: z.array(z.string()),
  seconds: z.array(z.number()),
})

type Seen = Pick<NodeView, 'operation' | 'driver_internal_info'>

/** The operations since generation `after`, with what the node shows now, oldest first. */
export function observe(courses: readonly Course[], node: Seen, after: number): Course[] {
  const known = new Map(courses.map((course) => [course.generation, course]))
  const { operation } = node
  if (operation && operation.generation > after) {
    const { generation, kind, names, step, percent, note } = operation
    known.set(generation, { generation, kind, names, step, percent, note, seconds: undefined })
  }
  const last = lastOperation(node)
  if (last && last.generation > after) {
    const { kind, generation, names, seconds } = last
    const step = Math.max(seconds.length - 1, 0)
    known.set(generation, { generation, kind, names, step, percent: null, note: null, seconds })
  }
  return [...known.values()].toSorted((a, b) => a.generation - b.generation)
}

/** The newest operation that the node shows. */
export function newestGeneration(node: Seen): number {
  return Math.max(node.operation?.generation ?? 0, lastOperation(node)?.generation ?? 0)
}

export function stepName({ names, kind }: Course, step: number): string {
  return (names[step] ?? `${kind} step ${step + 1}`).replaceAll('_', ' ').replace('.', ': ')
}

function lastOperation(node: Seen): z.infer<typeof finished> | undefined {
  return finished.safeParse(node.driver_internal_info['last_operation']).data
}
