import type { Progress } from '../../contract/messages.ts'
import type { Appliance, Node } from '../../contract/resources.ts'
import { cancelWrites } from '../conductor/cancel.ts'
import type { Platform, Write } from '../platform.ts'
import { changeNode } from '../store/change-node.ts'
import { setLastScreen } from '../store/consoles.ts'
import { apply } from './apply.ts'

interface Applied {
  report: Progress
  node: Node
}

/** Reports of one node's progress that came together, in order: one write, with the history of each. */
export async function applyProgress(platform: Platform, appliance: Appliance, reports: Progress[]): Promise<void> {
  const [first] = reports
  if (!first) return
  let applied: Applied[] = []
  const node = await changeNode(platform, first.node, async (before) => {
    applied = allOf(platform, before, reports, appliance)
    const last = applied.at(-1)
    return (
      last && {
        node: last.node,
        passed: applied.slice(0, -1).map((each) => each.node),
        conductor: appliance.name,
        writes: await stopping(platform, before, last),
      }
    )
  })
  const failed = applied.findLast(({ report }) => report.phase === 'failed')?.report
  if (failed) {
    const screen = failed.screen && { at: failed.at, lines: failed.screen }
    await setLastScreen(platform.table, first.node, screen)
  }
  for (const report of reports) {
    const { generation, lane, phase, step, ordinal } = report
    const after = applied.find((each) => each.report === report)?.node
    const facts = { node: first.node, site: appliance.site, generation, lane, phase, step, ordinal }
    const state = (after ?? node)?.provision_state ?? 'no such node'
    platform.log.info({ ...facts, applied: after !== undefined, state }, 'progress')
  }
}

function allOf({ clock, options }: Platform, before: Node, reports: Progress[], { uuid }: Appliance): Applied[] {
  const applied: Applied[] = []
  for (const report of reports) {
    const node = apply(applied.at(-1)?.node ?? before, report, uuid, { now: clock.now(), options })
    if (node) applied.push({ report, node })
  }
  return applied
}

/** The site goes on with what the cloud has just given up, unless it is told to stop. */
async function stopping(platform: Platform, before: Node, { node: after, report }: Applied): Promise<Write[]> {
  const { lane, phase } = report
  const ended = phase === 'done' || phase === 'failed' || phase === 'refused'
  const givenUp = !ended && lane === 'provision' && after.operation === null
  return givenUp ? cancelWrites(platform, before, lane, after.last_error ?? 'given up') : []
}
