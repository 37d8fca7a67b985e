import { afterAll, beforeAll, expect, it } from 'vitest'
import { InstanceWorld } from './instance-world.ts'

let world: InstanceWorld
beforeAll(async () => {
  world = await InstanceWorld.open()
  await world.flavor()
})
afterAll(() => world[Symbol.asyncDispose]())

const tell = (events: object[], as = world.admin) =>
  world.ask('POST', '/compute/v2.1/os-server-external-events', { events }, as)
const NOBODY = '00000000-0000-4000-8000-000000000002'

it('what other services tell of a server is kept with it, and of none, or one without a node, is answered so', async () => {
  await world.node('n1')
  const [there, homeless] = [await world.asked({ networks: 'none' }), await world.asked({ networks: 'none' })]
  const plugged = { name: 'network-vif-plugged', server_uuid: there, tag: 'a-port' }
  const service = (await world.stone.member('service', 'service')).token
  const all = await tell([plugged], service)
  expect([all.status, all.body.events]).toEqual([200, [{ ...plugged, status: 'completed', code: 200 }]])
  const some = await tell([plugged, { ...plugged, server_uuid: homeless }, { ...plugged, server_uuid: NOBODY }])
  expect([some.status, some.body.events.map(({ code }: { code: number }) => code)]).toEqual([207, [200, 422, 404]])
  expect((await tell([{ ...plugged, server_uuid: NOBODY }])).status).toBe(404)
  const path = `/compute/v2.1/servers/${there}/os-instance-actions`
  const { instanceActions } = (await world.ask('GET', path)).body
  expect(instanceActions.map(({ action }: { action: string }) => action)).toEqual([
    'create',
    'network-vif-plugged',
    'network-vif-plugged',
  ])
  expect((await world.server(there))['OS-EXT-STS:task_state']).toBe('spawning')
})

it('nobody else may tell, nor of what there is none', async () => {
  const event = { name: 'network-changed', server_uuid: NOBODY }
  expect((await tell([event], world.token)).status).toBe(403)
  expect((await tell([{ ...event, name: 'made-up' }])).status).toBe(400)
  expect((await tell([])).status).toBe(400)
})
