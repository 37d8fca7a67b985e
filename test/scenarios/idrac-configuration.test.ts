import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { dialects } from '@bloomery/redfish/service/dialect.ts'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Step } from '../../contract/plan.ts'
import { Fixture, step } from '../rack/paper/fixture.ts'

/** Ironic's steps of iDRACs: all settings of a machine to a URL, and from there to another. */

let fixture: Fixture
let store: Server
let url: string
const stored = new Map<string, string>()
/** Who asked for what, and as whom. */
const asked: string[] = []

beforeEach(async () => {
  stored.clear()
  asked.length = 0
  store = createServer((request, reply) => void answer(request, reply))
  await new Promise<void>((resolve) => void store.listen(0, '127.0.0.1', resolve))
  url = `http://keeper:p%40ss@127.0.0.1:${(store.address() as AddressInfo).port}`
  fixture = new Fixture('redfish')
  fixture.machine.dialect = dialects.find(({ name }) => name === 'dell')
  await fixture.plugIn()
  await fixture.boot()
})
afterEach(async () => {
  await fixture.tearDown()
  store.closeAllConnections()
  await new Promise((resolve) => void store.close(resolve))
})

async function answer(request: IncomingMessage, reply: ServerResponse): Promise<void> {
  const [path, login] = [request.url ?? '', request.headers.authorization ?? '']
  asked.push(`${request.method} ${path} ${Buffer.from(login.replace('Basic ', ''), 'base64').toString()}`)
  if (request.method === 'PUT') stored.set(path, (await buffer(request)).toString())
  const body = stored.get(path)
  reply.writeHead(body === undefined ? 404 : 200).end(request.method === 'GET' ? body : undefined)
}

async function run(steps: Step[], generation = 1) {
  const plan = fixture.plan('clean', steps, generation)
  fixture.cloud.send({ kind: 'run', node: fixture.node, generation, plan })
  return fixture.cloud.ended(plan.id)
}
/** Paper time is quick, and the BMC's is not. */
const long = { deadline_seconds: 86_400 }
const exportTo = (path: string) =>
  step('management.export_configuration', { export_configuration_location: url + path }, long)
const importFrom = (path: string) =>
  step('management.import_configuration', { import_configuration_location: url + path }, long)
const attributes = () => fixture.machine.redfish.bios.attributes

test('a configuration is exported as Ironic stores it, and imported changed', async () => {
  expect(await run([exportTo('/one')])).toMatchObject({ phase: 'done', note: null })
  const one = stored.get('/one')!
  expect(JSON.parse(one)).toMatchObject({
    oem: { interface: 'idrac-redfish', data: { SystemConfiguration: { Components: [{ FQDD: 'BIOS.Setup.1-1' }] } } },
  })
  expect(asked).toEqual(['PUT /one keeper:p@ss'])
  stored.set('/two', one.replace('"NumLock","Value":"On"', '"NumLock","Value":"Off"'))
  const both = { import_configuration_location: `${url}/two`, export_configuration_location: `${url}/three` }
  expect(await run([step('management.import_export_configuration', both, long)], 2)).toMatchObject({
    phase: 'done',
    note: null,
  })
  expect(attributes()).toMatchObject({ NumLock: 'Off' })
  expect(stored.get('/three')).toBe(stored.get('/two'))
  const told = [...fixture.cloud.reports.values()]
    .filter((each) => each.kind === 'hardware')
    .flatMap(({ facts }) => facts.bios ?? [])
  expect(told.find(({ name }) => name === 'NumLock')).toMatchObject({ value: 'Off' })
})

test.each([
  ['{"oem": {"interface": "other", "data": {}}}', /the configuration is for other, and this is idrac-redfish/],
  ['[]', /what 127\.0\.0\.1:\d+ has is no configuration/],
  [undefined, /the configuration's server 127\.0\.0\.1:\d+ answers 404 to GET; check the URL/],
])('%s fails with what is wrong', async (content, why) => {
  if (content) stored.set('/wrong', content)
  const end = await run([importFrom('/wrong')])
  expect([end.phase, end.note]).toEqual(['failed', expect.stringMatching(why)])
  expect(end.note).not.toContain('keeper')
})

test('the appliance killed while the BMC imports follows the job that it began', async () => {
  await run([exportTo('/one')])
  fixture.site!.kill()
  let memos = 0
  await fixture.boot((at) => {
    if (at === 'memo of management.import_configuration' && (memos += 1) === 2) throw new Error('power cut')
  })
  const plan = fixture.plan('clean', [importFrom('/one')], 2)
  fixture.cloud.send({ kind: 'run', node: fixture.node, generation: 2, plan })
  await expect.poll(() => memos, { timeout: 30_000 }).toBe(2)
  stored.delete('/one')
  await fixture.boot()
  expect(await fixture.cloud.ended(plan.id)).toMatchObject({ phase: 'done' })
  const imports = [...fixture.machine.redfish.tasks.values()].filter(({ name }) => name.startsWith('Import'))
  expect(imports).toHaveLength(1)
})
