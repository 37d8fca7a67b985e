import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { startBloomery } from '../../ironic/bloomery.ts'
import { type Ironic, type SetUp, startIronic } from '../../ironic/ironic.ts'
import { enrolled } from './enrolled.ts'

/** One that is measured, with nodes enrolled. */
export interface System {
  endpoint: string
  uuids: string[]
  pids: readonly number[]
  stop(): Promise<void>
}

export const OURS = 'bloomery'
export type SystemName = typeof OURS | SetUp

export async function startSystem(name: SystemName, dir: string, nodes: number): Promise<System> {
  if (name !== OURS) return startTheirs(name, dir, nodes)
  let uuids: string[] = []
  const { endpoint, cloud, appliance, stop } = await startBloomery(dir, async (data) => {
    uuids = await enrolled(data, nodes)
  })
  return { endpoint, uuids, pids: [cloud, appliance], stop }
}

async function startTheirs(setUp: SetUp, dir: string, nodes: number): Promise<System> {
  const ironic = await startIronic(join(dir, randomUUID().slice(0, 8)), setUp)
  try {
    return { endpoint: ironic.endpoint, uuids: await seeded(ironic, nodes), pids: ironic.groups, stop: ironic.stop }
  } catch (error) {
    await ironic.stop()
    throw error
  }
}

/** One node by its API, the others by copies of its row: ten thousand by the API take minutes. */
async function seeded({ endpoint, sql }: Ironic, nodes: number): Promise<string[]> {
  if (nodes === 0) return []
  const headers = { 'content-type': 'application/json', 'x-openstack-ironic-api-version': '1.82' }
  const made = await fetch(`${endpoint}/v1/nodes`, { method: 'POST', headers, body: '{"driver": "fake-hardware"}' })
  if (!made.ok) throw new Error(`Ironic made no node: ${made.status} ${await made.text()}`)
  const where = "table_schema = 'ironic' AND table_name = 'nodes' AND column_name <> 'id'"
  const columns = (await sql(`SELECT column_name FROM information_schema.columns WHERE ${where}`)).trim().split('\n')
  const copied = columns.map((name) => {
    if (name === 'uuid') return 'UUID()'
    return name === 'name' ? "CONCAT('bench-', seq)" : `nodes.${name}`
  })
  if (nodes > 1)
    await sql(
      `INSERT INTO ironic.nodes (${columns.join(', ')}) SELECT ${copied.join(', ')} FROM ironic.nodes, ironic.seq_2_to_${nodes}`,
    )
  return (await sql('SELECT uuid FROM ironic.nodes ORDER BY id')).trim().split('\n')
}
