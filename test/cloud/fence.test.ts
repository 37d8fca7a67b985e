import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Server } from '../../contract/compute.ts'
import { changeServer } from '../../lambdas/compute/change-server.ts'
import { type Fence, fenced } from '../../lambdas/compute/fence.ts'
import { serverStore } from '../../lambdas/compute/store.ts'
import type { Key } from '../../lambdas/platform.ts'
import { getNode, nodeKey } from '../../lambdas/store/nodes.ts'
import { InstanceWorld } from './instance-world.ts'

/** A step of a server's that was overtaken writes nothing, whatever it writes. */

let world: InstanceWorld
let count = 0
beforeAll(async () => {
  world = await InstanceWorld.open()
  await world.flavor()
})
afterAll(() => world[Symbol.asyncDispose]())

interface Seen {
  server: Server
  node: string
  fence: Fence
  /** Something that is neither the server nor its node. */
  other: Key
}

async function seen(): Promise<Seen> {
  count += 1
  const node = await world.node(`n${count}`)
  const id = await world.asked({ networks: 'none' })
  const { table } = world.cloud.platform
  const server = (await serverStore.get(table, id))!
  const fence = fenced(world.cloud.platform, server, await getNode(table, node))
  return { server, node, fence, other: { pk: `other#${count}`, sk: 'other' } }
}

const put = (key: Key, version = 1) => ({ put: { ...key, version, value: {} } })
const refused = async ({ fence, other }: Seen, write = fence.platform.table.write([put(other)])): Promise<void> => {
  await expect(write).rejects.toMatchObject({ status: 409 })
  expect(fence.isOvertaken()).toBe(true)
  expect(await world.cloud.platform.table.get(other)).toBeUndefined()
}

it('writes while nobody else has changed its server or its node, as often as it likes', async () => {
  const { fence, server, other } = await seen()
  await fence.platform.table.write([put(other)])
  const locked = { ...server, locked: true, version: server.version + 1 }
  await fence.platform.table.write(serverStore.writes(server, locked))
  await fence.platform.table.write([put(other, 2)])
  expect(fence.isOvertaken()).toBe(false)
})

it('writes nothing once somebody changed its server, of which the write says nothing', async () => {
  const all = await seen()
  await changeServer(world.cloud.platform, all.server.uuid, () => ({ locked: true }))
  await refused(all)
})

it('writes nothing once its server is gone', async () => {
  const all = await seen()
  const now = (await serverStore.get(world.cloud.platform.table, all.server.uuid))!
  await world.cloud.platform.table.write(serverStore.writes(now, undefined))
  await refused(all)
})

it('writes a node that it has seen otherwise in no case, however fresh what it writes is', async () => {
  const all = await seen()
  await world.change(all.node, { name: `renamed-${count}` })
  const { version } = (await getNode(world.cloud.platform.table, all.node))!
  const { table } = all.fence.platform
  await refused(all, table.write([put(all.other), { ...put(nodeKey(all.node), version + 1), expect: version }]))
})
