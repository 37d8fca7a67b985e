import type { NodeView } from '../contract/api/views.ts'

/** One step of an operation as seen from here. Instants are the cloud's, in milliseconds. */
export interface Segment {
  operation: string
  generation: number
  step: number
  steps: number
  name: string
  percent: number | null
  note: string | null
  begun: number
  ended: number | undefined
}

type Seen = Pick<
  NodeView,
  'operation' | 'deploy_step' | 'clean_step' | 'service_step' | 'provision_state' | 'provision_updated_at'
>

/** The timeline with what the node shows now. A step that began and ended between two looks is not in it. */
export function observe(timeline: readonly Segment[], node: Seen): Segment[] {
  const last = timeline.at(-1)
  const { operation } = node
  const updated = node.provision_updated_at === null ? undefined : Date.parse(node.provision_updated_at)
  if (!operation) return ended(timeline, updated ?? last?.begun)
  const now = {
    operation: operation.kind,
    generation: operation.generation,
    step: operation.step,
    steps: operation.steps,
    name: nameOf(node) ?? last?.name ?? operation.kind,
    percent: operation.percent,
    note: operation.note,
  }
  if (last && last.generation === now.generation && last.step === now.step) {
    const name = nameOf(node) ?? last.name
    return [...timeline.slice(0, -1), { ...last, ...now, name }]
  }
  const begun = Date.parse(operation.since)
  const name = nameOf(node) ?? `step ${operation.step + 1}`
  return [...ended(timeline, begun), { ...now, name, begun, ended: undefined }]
}

function ended(timeline: readonly Segment[], at: number | undefined): Segment[] {
  return timeline.map((segment) =>
    segment.ended === undefined && at !== undefined ? { ...segment, ended: Math.max(at, segment.begun) } : segment,
  )
}

function nameOf({ deploy_step, clean_step, service_step }: Seen): string | undefined {
  for (const running of [deploy_step, clean_step, service_step])
    if (typeof running?.['step'] === 'string') return running['step'].replaceAll('_', ' ')
  return undefined
}

export function secondsOf(segment: Segment, now: number): number {
  return Math.max((segment.ended ?? now) - segment.begun, 0) / 1000
}
