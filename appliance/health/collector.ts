import type { Machine } from '../../contract/plan.ts'
import type { Clock } from '../clock.ts'
import type { Bmc } from '../drivers/bmc.ts'
import { HardwareError, sentence } from '../hardware-error.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { Machines } from '../ledger/machines.ts'
import type { Outbox } from '../ledger/outbox.ts'
import type { Log } from '../log.ts'
import { examine } from './examine.ts'
import type { HealthGauges } from './gauges.ts'
import { GaveWay, type Look } from './look.ts'
import { openHealthRecords } from './records.ts'
import { type Outcome, Schedule } from './schedule.ts'

const AT_ONCE = 32
/** Of those, BMCs that did not answer last time: they hold up nobody. */
const MOST_SILENT = 4
const TICK_MS = 5000
/** A look at a server with hundreds of sensors behind a slow BMC takes a minute. */
const LOOK_MS = 120_000

export interface CollectorParts {
  machines: Machines
  ledger: Ledger
  outbox: Outbox
  clock: Clock
  random: () => number
  log: Log
  bmcOf(machine: Machine): Promise<Bmc>
  /** A plan is at work on it: the BMC is its own. */
  busy(node: string): boolean
  intervalMs: number
  gauges: HealthGauges
}

/** Looks at every machine's sensors and log once in an interval. What it finds is counted here; of it, the cloud is told changes of health
 * and what was logged. */
export function startHealth(parts: CollectorParts): () => Promise<void> {
  if (parts.intervalMs === 0) return () => Promise.resolve()
  const stopped = new AbortController()
  const looping = loop(parts, stopped.signal)
  return () => {
    stopped.abort(new Error('stopped'))
    return looping
  }
}

async function loop(parts: CollectorParts, signal: AbortSignal): Promise<void> {
  const { clock, machines, intervalMs, random, gauges } = parts
  const schedule = new Schedule(intervalMs, random)
  const records = openHealthRecords(parts.ledger)
  const looking = new Map<string, boolean>()
  const look = async (node: string, silent: boolean): Promise<void> => {
    looking.set(node, silent)
    const outcome = await lookAt(parts, records, node, signal)
    looking.delete(node)
    schedule.looked(node, clock.now().getTime(), outcome)
    fill()
  }
  const fill = (): void => {
    if (signal.aborted) return
    const now = clock.now().getTime()
    for (const silent of [false, true]) {
      for (const node of schedule.due(now, silent)) {
        const others = [...looking.values()].filter((each) => each === silent).length
        if (looking.size >= AT_ONCE || (silent && others >= MOST_SILENT)) break
        if (!looking.has(node)) void look(node, silent)
      }
    }
  }
  while (!signal.aborted) {
    const nodes = machines.nodes()
    schedule.learn(nodes, clock.now().getTime())
    gauges.keep(nodes)
    fill()
    await clock.sleep(Math.min(TICK_MS, intervalMs / 8), signal).catch(() => {})
  }
}

type Records = ReturnType<typeof openHealthRecords>

async function lookAt(parts: CollectorParts, records: Records, node: string, signal: AbortSignal): Promise<Outcome> {
  const { machines, clock, log, gauges, busy } = parts
  const began = clock.now().getTime()
  const may = (): void => {
    if (signal.aborted || busy(node)) throw new GaveWay()
    if (clock.now().getTime() - began > LOOK_MS)
      throw new HardwareError(
        `the BMC takes longer than ${LOOK_MS / 1000} s to tell its sensors; it is asked more seldom`,
      )
  }
  try {
    may()
    const known = machines.get(node)
    if (!known) return 'done'
    const { readHealth } = (await parts.bmcOf(known.machine)).more ?? {}
    if (!readHealth) return 'done'
    const bmc = identityOf(known.machine)
    const look = await readHealth(records.get(node, bmc).kept, async (question) => {
      may()
      return question()
    })
    if (signal.aborted || machines.get(node) === undefined) return 'done'
    gauges.looked('done', (clock.now().getTime() - began) / 1000)
    return remember(parts, records, { node, bmc, name: known.machine.name }, look)
  } catch (error) {
    if (error instanceof GaveWay) return 'busy'
    if (signal.aborted) return 'done'
    gauges.looked('failed', (clock.now().getTime() - began) / 1000)
    log.debug({ node, error: sentence(error) }, 'sensors and log not to be read')
    return 'silent'
  }
}

function remember(
  { ledger, outbox, clock, log, gauges }: CollectorParts,
  records: Records,
  { node, bmc, name }: { node: string; bmc: string; name: string | null },
  look: Look,
): Outcome {
  const { state, report, again } = examine(records.get(node, bmc).state, look, clock.now())
  const save = (): void => {
    records.set(node, bmc, { kept: look.kept, state })
    if (report) outbox.append({ kind: 'health', node, ...report })
  }
  // What a power cut takes of a look without news, the next one finds again.
  if (report) ledger.transaction(save)
  else ledger.soon(save)
  gauges.found(node, { name, look, health: report?.health })
  if (report) log.info({ node, health: report.health, causes: report.causes.length, log: report.log.length }, 'health')
  return again ? 'again' : 'done'
}

/** What tells one BMC from another, without its secrets. */
function identityOf({ driver, driver_info: info }: Machine): string {
  const keys = ['ipmi_address', 'ipmi_port', 'redfish_address', 'redfish_system_id']
  const said = (value: unknown): string => (typeof value === 'string' || typeof value === 'number' ? String(value) : '')
  return [driver, ...keys.map((key) => said(info[key]))].join(' ')
}
