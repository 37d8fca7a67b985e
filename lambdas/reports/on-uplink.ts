import type { Progress, Report, Uplink } from '../../contract/messages.ts'
import type { Appliance } from '../../contract/resources.ts'
import { toldOfChange } from '../conductor/keeper.ts'
import { publish, send } from '../conductor/publish.ts'
import { rotated } from '../conductor/rotation.ts'
import { ConflictError, type Platform } from '../platform.ts'
import { putAnswer } from '../store/answers.ts'
import { getAppliance, markSeen } from '../store/appliances.ts'
import { changeNode } from '../store/change-node.ts'
import { acknowledge, storedCommands } from '../store/commands.ts'
import { count, getReportCounter, isCounted, reportCounterKey } from '../store/report-counter.ts'
import { getNode } from '../store/nodes.ts'
import { isAsked } from './asked.ts'
import { addRecorded, addShown } from './console.ts'
import { addCaptured } from './capture.ts'
import { tendCertificate } from './certificate.ts'
import { addDeployLog } from './deploy-log.ts'
import { addDiscovered } from './discovered.ts'
import { addHardware } from './hardware.ts'
import { addHealth } from './health.ts'
import { addInspected } from './inspected.ts'
import { addNotice } from './notice.ts'
import { seenBmc, seenPower } from './power.ts'
import { addPrefetched } from './prefetched.ts'
import { applyProgress } from './progress.ts'
import { readUplink } from './read-uplink.ts'
import { addVolumeReport } from '../volume/reconcile.ts'
import { refreshUrls } from './refresh.ts'
import { addRefused } from './refused.ts'

/** A message of an appliance, as it arrived. What can't be one is logged and dropped: it would be no better the next time. Whatever
 * else goes wrong is thrown, and the message comes again. */
export function onUplink(platform: Platform, appliance: string, body: string): Promise<void> {
  return onUplinks(platform, appliance, [body])
}

/** Several messages of one appliance, in the order in which they came: what they say of a node is one change of it. */
export async function onUplinks(platform: Platform, appliance: string, bodies: string[]): Promise<void> {
  const sender = await getAppliance(platform.table, appliance)
  const messages = bodies.flatMap((body) => {
    const read = readUplink(body)
    const facts = { appliance, bytes: body.length, poison: true }
    if (read?.unread.length) platform.log.warn({ ...facts, numbers: read.unread }, 'reports dropped')
    if (read && sender) return [read]
    platform.log.warn({ ...facts, why: read ? 'no such appliance' : 'not a message' }, 'uplink dropped')
    return []
  })
  if (!sender) return
  const lives = messages.flatMap(({ message }) => (message.kind === 'alive' ? [message] : []))
  const reports = messages.flatMap(({ message }) => (message.kind === 'reports' ? message.reports : []))
  const unread = messages.flatMap((each) => each.unread)
  await Promise.all([
    lives.length === 0 ? undefined : onAlive(platform, sender, lives),
    shownInTurn(platform, sender, messages),
    reports.length + unread.length === 0 ? undefined : onReports(platform, sender, reports, unread),
  ])
}

/** What is of the moment, such as what consoles show, in the order in which it was said. */
async function shownInTurn(platform: Platform, sender: Appliance, messages: { message: Uplink }[]): Promise<void> {
  for (const { message } of messages) {
    if (message.kind === 'console') await addShown(platform, sender, message)
    else if (message.kind === 'console_log') await addRecorded(platform, sender, message)
    else if (message.kind === 'prefetch') await addPrefetched(platform, sender, message)
  }
}

type Alive = Extract<Uplink, { kind: 'alive' }>

async function onAlive(platform: Platform, appliance: Appliance, lives: Alive[]): Promise<void> {
  const last = lives.at(-1) as Alive
  await markSeen(platform.table, appliance, lives.findLast(({ hello }) => hello) ?? last, platform.clock.now())
  await acknowledge(platform.table, appliance.uuid, Math.max(...lives.map((each) => each.commands_through)))
  if (lives.some(({ hello }) => hello))
    await publish(platform, appliance.uuid, await storedCommands(platform.table, appliance.uuid))
  const told = lives.findLast(({ certificate }) => certificate?.csr)?.certificate ?? last.certificate
  if (told) await tendCertificate(platform, appliance, told)
  const stale = lives.flatMap(({ refresh }) => refresh)
  await refreshUrls(platform, appliance, stale)
}

async function onReports(platform: Platform, appliance: Appliance, reports: Report[], unread: number[]): Promise<void> {
  const { counter } = await getReportCounter(platform.table, appliance.uuid)
  const news = new Map(reports.flatMap((report) => (isCounted(counter, report.seq) ? [] : [[report.seq, report]])))
  const byNode = Map.groupBy(news.values(), (report) => ('node' in report ? report.node : undefined))
  await Promise.all([...byNode.values()].map((own) => inTurn(platform, appliance, own)))
  const through = await countReports(platform, appliance.uuid, [...reports.map(({ seq }) => seq), ...unread])
  await send(platform, appliance.uuid, { v: 1, kind: 'received', reports_through: through })
}

/** What is said of one node. Progress that came together is one write. */
async function inTurn(platform: Platform, appliance: Appliance, reports: Report[]): Promise<void> {
  let together: Progress[] = []
  for (const report of reports) {
    if (report.kind === 'progress') together.push(report)
    else {
      await applyProgress(platform, appliance, together)
      together = []
      await handle(platform, appliance, report)
    }
  }
  await applyProgress(platform, appliance, together)
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

type Other = Exclude<Report, Progress>
type Handlers = {
  [K in Other['kind']]: (platform: Platform, appliance: Appliance, report: Extract<Other, { kind: K }>) => Promise<void>
}

const handlers: Handlers = {
  async power(platform, appliance, report) {
    await changeNode(platform, report.node, (node) => {
      const isOurs = node.conductor_group === appliance.site
      const after = isOurs ? seenPower(node, report, platform.clock.now(), platform.options) : undefined
      return after && { node: after, conductor: appliance.name }
    })
  },
  async bmc(platform, appliance, report) {
    await changeNode(platform, report.node, (node) => {
      // One that looks after it no more may have lost the way to its BMC.
      const isOurs = node.keeper ? node.keeper === appliance.uuid : node.conductor_group === appliance.site
      const after = isOurs ? seenBmc(node, report) : undefined
      return after && { node: after, conductor: appliance.name }
    })
    const { node, answers, text } = report
    platform.log.info({ node, site: appliance.site, appliance: appliance.name, answers, text }, 'bmc')
  },
  async inventory(platform, appliance, report) {
    const applied = await addInspected(platform, appliance, report)
    const facts = { node: report.node, site: appliance.site, appliance: appliance.name, applied }
    platform.log.info(facts, 'inventory')
  },
  async secret(platform, appliance, report) {
    const { node: uuid, key } = report
    let known = false
    await changeNode(platform, uuid, async (node) => {
      const after = node.conductor_group === appliance.site ? rotated(node, report) : undefined
      known = after !== undefined
      // Who looks after it may be another one, or have been told the former secret meanwhile.
      return after && { ...(await toldOfChange(platform, node, after)), conductor: appliance.name }
    })
    platform.log.info({ node: uuid, site: appliance.site, key, known }, 'secret')
  },
  async hardware(platform, appliance, report) {
    const { node: uuid, facts } = report
    const node = await getNode(platform.table, uuid)
    if (!node || !isAsked(node, appliance, report)) return
    await addHardware(platform, node, facts)
    platform.log.info({ node: uuid, site: appliance.site, sections: Object.keys(facts) }, 'hardware')
  },
  async certificate(platform, appliance, { node: uuid, generation, fingerprint }) {
    await changeNode(platform, uuid, async (node) => {
      if (node.conductor_group !== appliance.site || generation > node.generation) return undefined
      const driver_info = { ...node.driver_info, redfish_certificate_fingerprint: fingerprint }
      const told = await toldOfChange(platform, node, { ...node, driver_info })
      return { ...told, conductor: appliance.name }
    })
    platform.log.info({ node: uuid, site: appliance.site, fingerprint }, 'certificate')
  },
  async answer(platform, appliance, { node: uuid, generation, answer }) {
    const node = await getNode(platform.table, uuid)
    if (node?.conductor_group !== appliance.site || generation > node.generation) return
    await putAnswer(platform.table, uuid, { generation, answer })
    platform.log.info({ node: uuid, site: appliance.site, refused: 'fault' in answer }, 'answer')
  },
  deploy_log: addDeployLog,
  discovered: addDiscovered,
  refused: addRefused,
  notice: addNotice,
  health: addHealth,
  capture: addCaptured,
  volume: addVolumeReport,
  async unknown_machine(platform, appliance, { address, detail }) {
    platform.log.info({ site: appliance.site, appliance: appliance.name, address, detail }, 'unknown machine')
  },
}

function handle<K extends Other['kind']>(
  platform: Platform,
  appliance: Appliance,
  report: Extract<Other, { kind: K }>,
): Promise<void> {
  const handler = handlers[report.kind as K]
  return handler(platform, appliance, report)
}
