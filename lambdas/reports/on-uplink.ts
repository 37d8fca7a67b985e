import { type Report, type Uplink, uplink } from '../../contract/messages.ts'
import type { Appliance, Node } from '../../contract/resources.ts'
import { cancelWrites } from '../conductor/cancel.ts'
import { publish, send } from '../conductor/publish.ts'
import { ConflictError, type Platform, type Write } from '../platform.ts'
import { getAppliance, markSeen } from '../store/appliances.ts'
import { changeNode } from '../store/change-node.ts'
import { acknowledge, storedCommands } from '../store/commands.ts'
import { count, getReportCounter, isCounted, reportCounterKey } from '../store/report-counter.ts'
import { getNode } from '../store/nodes.ts'
import { apply } from './apply.ts'
import { addHardware } from './hardware.ts'
import { addInspected } from './inspected.ts'
import { refreshUrls } from './refresh.ts'

/** A message of an appliance, as it arrived. What can't be one is logged and dropped: it would be no better the next time. Whatever
 * else goes wrong is thrown, and the message comes again. */
export async function onUplink(platform: Platform, appliance: string, body: string): Promise<void> {
  const message = parse(body)
  const sender = await getAppliance(platform.table, appliance)
  if (!message || !sender) {
    const why = message ? 'no such appliance' : 'not a message'
    platform.log.warn({ appliance, bytes: body.length, why, poison: true }, 'uplink dropped')
    return
  }
  await (message.kind === 'alive' ? onAlive(platform, sender, message) : onReports(platform, sender, message.reports))
}

function parse(body: string): Uplink | undefined {
  try {
    return uplink.safeParse(JSON.parse(body)).data
  } catch {
    return undefined
  }
}

async function onAlive(
  platform: Platform,
  appliance: Appliance,
  { software, commands_through: through, hello, refresh }: Extract<Uplink, { kind: 'alive' }>,
): Promise<void> {
  await markSeen(platform.table, appliance, software, platform.clock.now())
  await acknowledge(platform.table, appliance.uuid, through)
  if (hello) await publish(platform, appliance.uuid, await storedCommands(platform.table, appliance.uuid))
  await refreshUrls(platform, appliance, refresh)
}

async function onReports(platform: Platform, appliance: Appliance, reports: Report[]): Promise<void> {
  const { counter } = await getReportCounter(platform.table, appliance.uuid)
  for (const report of reports) if (!isCounted(counter, report.seq)) await handle(platform, appliance, report)
  const through = await countReports(
    platform,
    appliance.uuid,
    reports.map(({ seq }) => seq),
  )
  await send(platform, appliance.uuid, { v: 1, kind: 'received', reports_through: through })
}

/** After the reports took effect, never before: one that is applied again changes nothing, one that is missed is lost. */
async function countReports({ table }: Platform, appliance: string, seqs: number[]): Promise<number> {
  for (let attempt = 0; attempt < 30; attempt += 1) {
    const { counter, item } = await getReportCounter(table, appliance)
    const value = count(counter, seqs)
    const put = { ...reportCounterKey(appliance), version: (item?.version ?? 0) + 1, value }
    try {
      await table.write([{ put, expect: item ? item.version : 'absent' }])
      return value.through
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error
    }
  }
  throw new Error(`appliance ${appliance}: reports could not be counted`)
}

type Handlers = {
  [K in Report['kind']]: (
    platform: Platform,
    appliance: Appliance,
    report: Extract<Report, { kind: K }>,
  ) => Promise<void>
}

/** The site goes on with what the cloud has just given up, unless it is told to stop. */
async function stopping(
  platform: Platform,
  before: Node,
  after: Node,
  { lane, phase }: Extract<Report, { kind: 'progress' }>,
): Promise<Write[]> {
  const ended = phase === 'done' || phase === 'failed' || phase === 'refused'
  const givenUp = !ended && lane === 'provision' && after.operation === null
  return givenUp ? cancelWrites(platform, before, lane, after.last_error ?? 'given up') : []
}

const handlers: Handlers = {
  async progress(platform, appliance, report) {
    let applied = false
    const node = await changeNode(platform, report.node, async (before) => {
      const after = apply(before, report, appliance.uuid, { now: platform.clock.now(), options: platform.options })
      applied = after !== undefined
      return (
        after && { node: after, conductor: appliance.name, writes: await stopping(platform, before, after, report) }
      )
    })
    const { generation, lane, phase, step, ordinal } = report
    const facts = { node: report.node, site: appliance.site, generation, lane, phase, step, ordinal, applied }
    platform.log.info({ ...facts, state: node?.provision_state ?? 'no such node' }, 'progress')
  },
  async power(platform, appliance, report) {
    await changeNode(platform, report.node, (node) => {
      const last = node.driver_internal_info['last_power_state_change']
      const isNews = typeof last !== 'string' || Date.parse(last) < Date.parse(report.at)
      if (node.conductor_group !== appliance.site || !isNews) return undefined
      const internal = { ...node.driver_internal_info, last_power_state_change: report.at }
      return { node: { ...node, power_state: report.power_state, driver_internal_info: internal } }
    })
  },
  async inventory(platform, appliance, { node: uuid, generation, plan, inventory, at }) {
    const node = await getNode(platform.table, uuid)
    const { operation } = node ?? {}
    const isAsked = operation?.plan === plan && operation.generation === generation
    if (!node || !isAsked || operation.appliance !== appliance.uuid) return
    await addInspected(platform, node, inventory, at)
    platform.log.info({ node: uuid, site: appliance.site, appliance: appliance.name }, 'inventory')
  },
  async hardware(platform, appliance, { node: uuid, generation, plan, facts }) {
    const node = await getNode(platform.table, uuid)
    const asked = [node?.operation, node?.power_operation].find((operation) => operation?.plan === plan)
    if (!node || asked?.generation !== generation || asked.appliance !== appliance.uuid) return
    await addHardware(platform, node, facts)
    platform.log.info({ node: uuid, site: appliance.site, sections: Object.keys(facts) }, 'hardware')
  },
  async unknown_machine(platform, appliance, { address, detail }) {
    platform.log.info({ site: appliance.site, appliance: appliance.name, address, detail }, 'unknown machine')
  },
}

function handle<K extends Report['kind']>(
  platform: Platform,
  appliance: Appliance,
  report: Extract<Report, { kind: K }>,
): Promise<void> {
  const handler = handlers[report.kind as K]
  return handler(platform, appliance, report)
}
