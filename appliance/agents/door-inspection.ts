import type { Context, Hono } from 'hono'
import { inspectionPost, type InspectionPost, mac } from '../../contract/agent.ts'
import type { Machine } from '../../contract/plan.ts'
import { HardwareError, sentence } from '../hardware-error.ts'
import type { Machines } from '../ledger/machines.ts'
import type { Log } from '../log.ts'
import type { Discoveries } from './discovered.ts'
import { minorOf } from './microversion.ts'
import type { PostedInventories } from './posted.ts'

interface Parts {
  machines: Machines
  posted: PostedInventories
  /** Absent: this site ignores machines that it doesn't know. */
  discoveries: Discoveries | undefined
  log: Log
  fault(c: Context, status: 400 | 404, text: string): Response
  /** What lookup would answer. */
  lookup(machine: Machine): Record<string, unknown>
}

/** The microversion in which the answer became that of lookup; between the first one and it there was no such route. */
const WHOLE = 84

/** POST /v1/continue_inspection (reference §6.9): a ramdisk says what its machine is made of, before it says anything else. */
export function inspectionRoute(door: Hono, { machines, posted, discoveries, log, fault, lookup }: Parts): void {
  door.post('/v1/continue_inspection', async (c) => {
    const minor = minorOf(c.req.header('X-OpenStack-Ironic-API-Version')) ?? 1
    if (minor > 1 && minor < WHOLE) return fault(c, 404, NOT_FOUND)
    const body = inspectionPost.safeParse(await c.req.json().catch(() => undefined))
    if (!body.success) return fault(c, 400, `Inspection data not understood: ${body.error.issues[0]?.message ?? ''}`)
    const named = c.req.query('node_uuid')
    if (named !== undefined && minor < WHOLE) return fault(c, 400, 'node_uuid needs API version 1.84')
    const found = machinesOf(machines, body.data, named)
    const [machine] = found
    const macs = macsOf(body.data)
    if (!machine && named === undefined && discoveries && macs.length > 0) {
      const node = orFault(() => discoveries.met(macs, body.data))
      if (node instanceof HardwareError) return fault(c, 400, sentence(node))
      log.info({ macs, node }, 'a machine that no node knows was discovered')
      return node === undefined ? fault(c, 404, NOT_FOUND) : c.json({ uuid: node }, 202)
    }
    if (found.length !== 1 || !machine || !posted.expects(machine.node)) {
      log.info({ candidates: found.map(({ node }) => node) }, 'inspection data of a machine that nobody inspects')
      return fault(c, 404, NOT_FOUND)
    }
    const refused = orFault(() => posted.put(machine.node, body.data))
    if (refused instanceof HardwareError) return fault(c, 400, sentence(refused))
    return c.json(minor < WHOLE ? { uuid: machine.node } : lookup(machine), 202)
  })
}

const NOT_FOUND = 'The requested resource was not found'

/** What it returns, or why it could not. */
function orFault<T>(make: () => T): T | HardwareError {
  try {
    return make()
  } catch (error) {
    if (error instanceof HardwareError) return error
    throw error
  }
}

function macsOf({ inventory }: InspectionPost): string[] {
  return inventory.interfaces.flatMap(({ mac_address: address }) => mac.safeParse(address).data ?? [])
}

/** By the node that it names, else its cards, else its BMC. */
function machinesOf(machines: Machines, post: InspectionPost, named: string | undefined): Machine[] {
  if (named !== undefined) return [machines.get(named)?.machine].filter((each) => each !== undefined)
  const byMac = macsOf(post).flatMap((address) => machines.byAnyMac([address]) ?? [])
  const found = new Map(byMac.map((machine) => [machine.node, machine]))
  return found.size > 0 ? [...found.values()] : byBmc(machines, post.inventory.bmc_address)
}

function byBmc(machines: Machines, address: unknown): Machine[] {
  if (typeof address !== 'string' || address === '' || address === '0.0.0.0') return []
  const all = machines.nodes().flatMap((node) => machines.get(node)?.machine ?? [])
  return all.filter(({ driver_info: info }) => hostOf(info['ipmi_address'] ?? info['redfish_address']) === address)
}

function hostOf(address: unknown): string | undefined {
  const text = typeof address === 'string' ? address : ''
  return URL.parse(text)?.hostname ?? text
}
