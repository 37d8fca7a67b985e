import { describe, expect, it } from 'vitest'
import type { Counts } from '../../lambdas/store/node-counts.ts'
import { claimNode } from '../../lambdas/compute/claim.ts'
import { serverStore } from '../../lambdas/compute/store.ts'
import { createNode } from '../../lambdas/store/change-node.ts'
import { BUSY } from '../../lambdas/store/free-nodes.ts'
import { readCounts } from '../../lambdas/store/node-counts.ts'
import { paperNode, paperServer } from '../cloud/paper-nodes.ts'
import { type Make, underTest } from './under-test.ts'

const NODES = 12
const AT_ONCE = 4

export function schedulingContract(name: string, make: Make): void {
  describe(`${name}: scheduling`, () => {
    const made = underTest(make)

    it('gives each of several servers at once another node of one site, and tells the others how many there are', async () => {
      const { platform } = made()
      const site = { conductor_group: 'crowded', resource_class: 'crowded' }
      for (let at = 0; at < NODES; at += 1) await createNode(platform, paperNode(at, site))
      const { flavor } = paperServer(0)
      const wanted = { flavor: { ...flavor, extra_specs: { 'resources:CUSTOM_CROWDED': '1' } } }
      const servers = Array.from({ length: NODES + 4 }, (_, at) => paperServer(at, wanted))
      for (const server of servers) await serverStore.save(platform.table, undefined, server)
      const told: Array<string | undefined> = []
      for (let at = 0; at < servers.length; at += AT_ONCE)
        told.push(...(await Promise.all(servers.slice(at, at + AT_ONCE).map((server) => claimNode(platform, server)))))
      const after = await Promise.all(servers.map(({ uuid }) => serverStore.get(platform.table, uuid)))
      const nodes = after.flatMap((server) => server?.node ?? [])
      expect([nodes.length, new Set(nodes).size]).toEqual([NODES, NODES])
      expect(told.filter((why) => why !== undefined)).toHaveLength(4)
      expect(
        await claimNode(
          platform,
          after.find((server) => server?.node === null)!,
        ),
      ).toContain(`${NODES} not available`)
      expect(leftOf(await readCounts(platform.table, 'crowded'))).toEqual([{ [BUSY]: NODES }])
    })
  })
}

/** Without those that there are none of any more. */
function leftOf(counts: Counts): object[] {
  return [...counts.values()].map((of) => Object.fromEntries(Object.entries(of).filter(([, nodes]) => nodes !== 0)))
}
