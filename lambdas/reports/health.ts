import { type HealthCause, type LogLine, rank } from '../../contract/health.ts'
import type { Report } from '../../contract/messages.ts'
import type { Appliance, Node } from '../../contract/resources.ts'
import type { Item, Platform } from '../platform.ts'
import { changeNode } from '../store/change-node.ts'
import { healthKey, type NodeHealth, unknownHealth } from '../store/health.ts'
import { type Story, storyWrite } from './story.ts'

type HealthReport = Extract<Report, { kind: 'health' }>

const MOST_LOG = 64
const MOST_SEEN = 64

/** How a node's hardware does goes on the node; what changed, and what the BMC logged of troubles, into its history and among the events. */
export async function addHealth(platform: Platform, appliance: Appliance, told: HealthReport): Promise<void> {
  const { table, clock, log } = platform
  let applied = false
  await changeNode(platform, told.node, async (node) => {
    applied = false
    if (node.conductor_group !== appliance.site) return undefined
    const item = await table.get(healthKey(node.uuid))
    const known = (item?.value as NodeHealth | undefined) ?? unknownHealth
    if (known.seen.includes(told.id)) return undefined
    applied = true
    const report = { ...told, log: told.log.filter((line) => !isKnown(known, line)) }
    const stale = isStale(known, appliance, report)
    const after = stale ? node : { ...node, health: report.health }
    const health: Item = {
      ...healthKey(node.uuid),
      version: (item?.version ?? 0) + 1,
      value: joined(known, report, { stale, changed: after.health !== node.health, appliance: appliance.uuid }),
    }
    const at = clock.now().toISOString()
    const stories = storiesOf(node, after, report).map((story, index) =>
      storyWrite(node, story, { id: report.id, index, at, conductor: appliance.name }),
    )
    return {
      node: after,
      conductor: appliance.name,
      writes: [{ put: health, expect: item ? item.version : 'absent' }, ...stories],
    }
  })
  log.info({ node: told.node, site: appliance.site, health: told.health, applied }, 'health')
}

/** One appliance counts its reports; of another than before, the later look counts. What is stale only adds to the log. */
function isStale({ source, reported_at: at }: NodeHealth, { uuid }: Appliance, report: HealthReport): boolean {
  if (source === null || at === null) return false
  return source.appliance === uuid ? source.seq > report.seq : Date.parse(at) > Date.parse(report.at)
}

/** Two appliances of a site read the same log. */
function isKnown({ log }: NodeHealth, { at, text }: LogLine): boolean {
  return at !== null && log.some((known) => known.at === at && known.text === text)
}

/** What the node has after a report. Pure. */
function joined(
  known: NodeHealth,
  { id, seq, at, causes, log }: Pick<HealthReport, 'id' | 'seq' | 'at' | 'causes' | 'log'>,
  { stale, changed, appliance }: { stale: boolean; changed: boolean; appliance: string },
): NodeHealth {
  const lines = [...known.log, ...log.map((line) => ({ ...line, reported_at: at }))].slice(-MOST_LOG)
  const seen = [...known.seen, id].slice(-MOST_SEEN)
  if (stale) return { ...known, log: lines, seen }
  const since = changed || known.since === null ? at : known.since
  return { since, reported_at: at, source: { appliance, seq }, causes, log: lines, seen }
}

/** The first word of a node's health is no change, unless it is a bad one. */
function storiesOf(before: Node, after: Node, { causes, log, log_left_out: leftOut }: HealthReport): Story[] {
  const told: Story[] = []
  const was = before.health ?? 'OK'
  const is = after.health ?? 'OK'
  if (was !== is) {
    const severity = rank(is) > rank(was) ? 'ERROR' : 'INFO'
    told.push({
      severity,
      event: `Health: ${was} to ${is}${is === 'OK' ? '' : `: ${textOf(causes)}`}`.replace(/\.?$/, '.'),
    })
  }
  const troubles = log.filter(({ level }) => level !== 'OK')
  if (troubles.length > 0) {
    const lines = troubles.map(({ text, times }) => (times > 1 ? `${text} (${times} times)` : text))
    const more = leftOut === undefined ? '' : `; and ${leftOut} more`
    told.push({ severity: 'ERROR', event: `The BMC logged: ${lines.join('; ')}${more}.` })
  }
  return told
}

function textOf(causes: readonly HealthCause[]): string {
  return causes.map(({ text }) => text).join('; ')
}
