import { createNode } from '../../lambdas/store/change-node.ts'
import type { Table } from '../../lambdas/platform.ts'
import { listFreeNodes } from '../../lambdas/store/list-free-nodes.ts'
import { getNode } from '../../lambdas/store/nodes.ts'
import { claimNode } from '../../lambdas/compute/claim.ts'
import { serverStore } from '../../lambdas/compute/store.ts'
import { paperNode, paperServer } from '../cloud/paper-nodes.ts'
import { PaperFleet } from '../cloud/paper-fleet.ts'

/** A thousand servers over ten thousand nodes at a hundred sites: how long a decision takes, claim and all, one after the other and many at once, and how
 * much it asks of the table, which on AWS is what takes time; then until nothing is left, and what the last ones are told. */

const NODES = 10_000
const SITES = 100
const SERVERS = 1000
const AT_ONCE = 16
const CLASSES = ['metal', 'gold', 'gpu', 'storage']

export async function bench(): Promise<void> {
  using fleet = new PaperFleet()
  const { table } = fleet
  let asked = 0
  const counting: Table = {
    get: (key) => ((asked += 1), table.get(key)),
    query: (query) => ((asked += 1), table.query(query)),
    write: (writes) => ((asked += 1), table.write(writes)),
  }
  const platform = { ...fleet.platform, table: counting }
  for (let site = 0; site < SITES; site += 1) await fleet.site(`site-${site}`)
  for (let at = 0; at < NODES; at += 1) await createNode(platform, nodeAt(at))
  while (!(await listFreeNodes(platform)));
  console.log(`${NODES} nodes of ${CLASSES.length} classes at ${SITES} sites, ${SERVERS} servers a row\n`)
  console.log(
    '| what                        | p50 ms | p99 ms | slowest ms | CPU ms each | requests each | without a node |',
  )
  console.log(
    '| --------------------------- | -----: | -----: | ---------: | ----------: | ------------: | -------------: |',
  )
  let made = 0
  const taken: string[] = []
  const row = async (what: string, atOnce: number, count: number, of: (at: number) => object): Promise<void> => {
    const times: number[] = []
    let without = 0
    const servers = Array.from({ length: count }, (_, at) => paperServer((made += 1), of(at)))
    for (const server of servers) await serverStore.save(table, undefined, server)
    const [cpu, before] = [process.cpuUsage(), asked]
    const waiting = [...servers]
    const worker = async (): Promise<void> => {
      for (let server = waiting.shift(); server; server = waiting.shift()) {
        const begun = performance.now()
        const why = await claimNode(platform, server)
        times.push(performance.now() - begun)
        if (why !== undefined) without += 1
      }
    }
    await Promise.all(Array.from({ length: atOnce }, worker))
    const { user, system } = process.cpuUsage(cpu)
    times.sort((a, b) => a - b)
    const figures = [times[Math.floor(count / 2)]!, times[Math.floor(count * 0.99)]!, times.at(-1)!]
    const cells = [...figures, (user + system) / 1000 / count, (asked - before) / count].map((each) => each.toFixed(2))
    console.log(`| ${what.padEnd(27)} | ${cells.join(' | ')} | ${without} |`)
    for (const { uuid } of servers) taken.push((await serverStore.get(table, uuid))?.node ?? '')
  }
  await row('any site, one by one', 1, SERVERS, () => ({}))
  await row(`any site, ${AT_ONCE} at once`, AT_ONCE, SERVERS, () => ({}))
  await row(`at a site, ${AT_ONCE} at once`, AT_ONCE, SERVERS, (at) => ({
    availability_zone: `site-${at % SITES}`,
    flavor: flavorOf('GOLD', {}),
  }))
  await row(`with a trait, ${AT_ONCE} at once`, AT_ONCE, SERVERS / 4, () => ({
    flavor: flavorOf('GPU', { 'trait:CUSTOM_RARE': 'required' }),
  }))
  const left = NODES / CLASSES.length - 2 * SERVERS
  await row('the rest of the class', AT_ONCE, left, () => ({}))
  await row('of a class that is used up', AT_ONCE, 50, () => ({}))
  const nodes = taken.filter((node) => node !== '')
  const owners = await Promise.all(nodes.map((node) => getNode(table, node)))
  const wrong = owners.filter((node) => node?.instance_uuid === null).length
  console.log(`\nnodes claimed twice: ${nodes.length - new Set(nodes).size}; claimed and not known of: ${wrong}`)
  console.log(`the last was told: ${await claimNode(platform, paperServer(made))}`)
}

const nodeAt = (at: number) =>
  paperNode(at, {
    conductor_group: `site-${Math.floor(at / CLASSES.length) % SITES}`,
    resource_class: CLASSES[at % CLASSES.length]!,
    traits: ['CUSTOM_NVME', 'CUSTOM_TPM', 'CUSTOM_RARE'].slice(0, (at >> 3) % 4),
    properties: { cpus: 64, memory_mb: 524_288, local_gb: 3840, cpu_arch: 'x86_64', capabilities: 'boot_mode:uefi' },
  })

const flavorOf = (name: string, more: Record<string, string>) => ({
  ...paperServer(0).flavor,
  extra_specs: { [`resources:CUSTOM_${name}`]: '1', ...more },
})
