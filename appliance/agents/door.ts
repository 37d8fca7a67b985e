import { Hono, type Context } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { timingSafeEqual } from 'node:crypto'
import { heartbeat, lookupQuery, maskedToken } from '../../contract/agent.ts'
import type { Machine } from '../../contract/plan.ts'
import type { BootEvents } from '../boot/machine.ts'
import type { Clock } from '../clock.ts'
import type { AgentRows } from '../ledger/agents.ts'
import type { Machines } from '../ledger/machines.ts'
import type { Log } from '../log.ts'
import type { Discoveries } from './discovered.ts'
import { inspectionRoute } from './door-inspection.ts'
import { MAXIMUM, MINIMUM, minorOf, RAMDISK_ROUTES, tooNew } from './microversion.ts'
import type { PostedInventories } from './posted.ts'
import { agentNode } from './site-agents.ts'

const HEARTBEAT_TIMEOUT = 300 // seconds; [api] ramdisk_heartbeat_timeout
/** Archives of logs come along with what an inspection finds. */
const LARGEST = { inspection: 16 * 1024 * 1024, other: 1024 * 1024 }

export interface DoorParts {
  machines: Machines
  rows: AgentRows
  events: BootEvents
  clock: Clock
  token: () => string
  /** A plan that wants the ramdisk is open for this node. */
  expectsAgent(node: string): boolean
  /** Where inventories go that ramdisks post. */
  posted?: PostedInventories
  /** Where this site discovers machines. */
  discoveries?: Discoveries | undefined
  log: Log
}

const VERSION = 'X-OpenStack-Ironic-API-Version'
const NOT_FOUND = 'The requested resource was not found'
const INSPECTION = '/v1/continue_inspection'

/** The routes of Ironic that ramdisks call (reference §6.2, §6.3), served to the provisioning network only. */
export function agentDoor(parts: DoorParts): Hono {
  const door = new Hono({ strict: false })
  door.use('*', async (c, next) => {
    const asked = c.req.header(VERSION)
    const minor = minorOf(asked)
    if (minor !== undefined) await next()
    else c.res = fault(c, 406, `Version ${asked?.slice(0, 32)} is not supported: 1.1 to ${MAXIMUM} are`)
    c.header('X-OpenStack-Ironic-API-Minimum-Version', MINIMUM)
    c.header('X-OpenStack-Ironic-API-Maximum-Version', MAXIMUM)
    c.header(VERSION, minor === undefined ? MINIMUM : `1.${minor}`)
  })
  const limit = (maxSize: number) => bodyLimit({ maxSize, onError: (c) => fault(c, 413, 'Request body too large') })
  const [ofInspection, ofOthers] = [limit(LARGEST.inspection), limit(LARGEST.other)]
  door.use('*', (c, next) => (c.req.path === INSPECTION ? ofInspection : ofOthers)(c, next))
  for (const route of ['/v1/lookup', '/v1/heartbeat/*'])
    door.use(route, async (c, next) => {
      if (versionOf(c) < RAMDISK_ROUTES) return fault(c, 404, NOT_FOUND)
      return next()
    })

  const version = { id: 'v1', links: [], status: 'CURRENT', min_version: MINIMUM, version: MAXIMUM }
  door.get('/', (c) => c.json({ name: 'OpenStack Ironic API', default_version: version, versions: [version] }))
  door.get('/v1', (c) => c.json({ id: 'v1', links: [], version }))

  /** Who looked up is given its token, once. */
  const found = (machine: Machine): Record<string, unknown> => {
    const { uuid, properties, instance_info, driver_internal_info } = agentNode(machine)
    const token = parts.rows.giveToken(machine.node, parts.token(), parts.clock.now())
    return { node: { uuid, properties, instance_info, driver_internal_info, links: [] }, config: config(token) }
  }
  door.get('/v1/lookup', (c) => {
    const query = lookupQuery.safeParse(c.req.query())
    if (!query.success || (query.data.addresses.length === 0 && !query.data.node_uuid))
      return fault(c, 400, 'Lookup needs addresses or node_uuid')
    const { addresses, node_uuid: node } = query.data
    const machine = node ? parts.machines.get(node)?.machine : parts.machines.byAnyMac(addresses)
    if (!machine || !parts.expectsAgent(machine.node)) {
      parts.log.info({ addresses, node }, 'lookup by a machine that nothing is planned for')
      return fault(c, 404, NOT_FOUND)
    }
    for (const mac of macsOf(machine)) parts.events.seen(mac, 'lookup')
    return c.json(found(machine))
  })

  door.post('/v1/heartbeat/:node', async (c) => {
    const node = c.req.param('node')
    const body = heartbeat.safeParse(await c.req.json().catch(() => undefined))
    if (!body.success) return fault(c, 400, `Heartbeat not understood: ${body.error.issues[0]?.message ?? ''}`)
    const strange = tooNew(body.data, versionOf(c))
    if (strange !== undefined) return fault(c, 400, `Field "${strange}" not recognised`)
    const row = parts.rows.get(node)
    if (!row) return fault(c, 404, NOT_FOUND)
    const { callback_url: url, agent_token: token, agent_verify_ca: certificate, agent_version: software } = body.data
    if (!token) return fault(c, 400, 'Agent token is required for heartbeat processing')
    if (!same(token, row.token)) return fault(c, 400, 'Invalid or missing agent token received')
    if (url === '' && parts.machines.boot(node)?.instance?.kickstart !== undefined) {
      const { agent_status: status, agent_status_message: message } = body.data
      if (!status) return fault(c, 400, 'An installer has to send agent_status: start, end or error')
      parts.rows.installers.say(node, { status, message: message ?? '' })
      parts.log.info({ node, status, message }, 'installer reported')
      for (const mac of macsOf(parts.machines.get(node)?.machine)) parts.events.seen(mac, 'heartbeat')
      return c.body(null, 202)
    }
    if (!url.startsWith('https:')) return fault(c, 400, 'callback_url must use https')
    if (row.url && row.url !== url) return fault(c, 400, 'Detected change in ramdisk provided callback_url')
    parts.rows.heartbeat(node, parts.clock.now(), { url, certificate: certificate ?? undefined, version: software })
    if (!row.heartbeatAt) parts.log.info({ node, url, agent: software }, 'agent is up')
    for (const mac of macsOf(parts.machines.get(node)?.machine)) parts.events.seen(mac, 'heartbeat')
    return c.body(null, 202)
  })

  const { posted, discoveries, machines, log } = parts
  if (posted) inspectionRoute(door, { machines, posted, discoveries, log, fault, lookup: found })

  door.notFound((c) => fault(c, 404, NOT_FOUND))
  door.onError((error, c) => {
    parts.log.error({ error: error.message, path: c.req.path }, "the agents' door failed")
    return fault(c, 500, 'Internal error')
  })
  return door
}

function config(token: string | undefined): Record<string, unknown> {
  return {
    heartbeat_timeout: HEARTBEAT_TIMEOUT,
    metrics: {
      backend: 'noop',
      prepend_host: false,
      prepend_uuid: false,
      prepend_host_reverse: true,
      global_prefix: null,
    },
    metrics_statsd: { statsd_host: 'localhost', statsd_port: 8125 },
    agent_containers: {
      allow_arbitrary_containers: false,
      allowed_containers: [],
      container_steps_file: '',
      runner: '',
      pull_options: '',
      run_options: '',
    },
    agent_token: token ?? maskedToken,
    agent_token_required: true,
    agent_md5_checksum_enable: false,
    disable_deep_image_inspection: false,
    permitted_image_formats: ['raw', 'gpt', 'qcow2', 'iso'],
    agent_skip_bmc_detect: true,
    enable_bios_bootloader_install: false,
    tls_min_version: '1.2',
    tls_cipher_suites: null,
  }
}

function macsOf(machine: Machine | undefined): string[] {
  return machine?.ports.filter((port) => port.pxe_enabled).map((port) => port.address) ?? []
}

function same(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)]
  return left.length === right.length && timingSafeEqual(left, right)
}

/** The middleware has refused what is no version. */
function versionOf(c: Context): number {
  return minorOf(c.req.header(VERSION)) ?? 1
}

function fault(c: Context, status: 400 | 404 | 406 | 413 | 500, text: string): Response {
  const error = { faultcode: status < 500 ? 'Client' : 'Server', faultstring: text, debuginfo: null }
  return c.json({ error_message: JSON.stringify(error) }, status)
}
