import { createHash } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Dialect, standardDialect } from '@bloomery/redfish/service/dialect.ts'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Fixture, step } from '../rack/paper/fixture.ts'

/** Ironic's step management.update_firmware: images with their checksums, sent to the BMC or fetched by it. */

const image = Buffer.concat([Buffer.from('version 3.1.4\n'), Buffer.alloc(300_000, 'f')])
const digest = (algorithm: string): string => createHash(algorithm).update(image).digest('hex')
let fixture: Fixture
let files: Server
let url: string
const asked: string[] = []

beforeEach(async () => {
  asked.length = 0
  files = createServer((request, reply) => {
    asked.push(request.method ?? '')
    reply.writeHead(200, { 'content-length': image.length }).end(request.method === 'HEAD' ? undefined : image)
  })
  await new Promise<void>((resolve) => void files.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(files.address() as AddressInfo).port}/firmware-3.1.4.bin`
})
afterEach(async () => {
  await fixture.tearDown()
  files.closeAllConnections()
  await new Promise((resolve) => void files.close(resolve))
})

async function update(updates: NonNullable<Dialect['updates']>, checksum: string) {
  fixture = new Fixture('redfish')
  fixture.machine.dialect = { ...standardDialect, updates }
  await fixture.plugIn()
  await fixture.boot()
  const firmware_images = [{ url, checksum, wait: 30, source: 'http' }]
  const plan = fixture.plan('clean', [
    step('management.update_firmware', { firmware_images }, { deadline_seconds: 86_400 }),
  ])
  fixture.cloud.send({ kind: 'run', node: fixture.node, generation: 1, plan })
  const end = await fixture.cloud.ended(plan.id)
  const versions = new Set([...fixture.machine.redfish.firmware.values()].map(({ version }) => version))
  return { phase: end.phase, note: end.note, versions: [...versions], starts: fixture.machine.starts }
}
const before = ['1.0.0', '2.0.0']

test.each([
  [['fetch', 'multipart', 'push'], 'sha256', ['HEAD', 'GET']],
  [['push'], 'sha1', ['HEAD', 'GET']],
  // It is looked at first; what the simulated BMC fetches it sees by its name.
  [['fetch'], 'sha512', ['HEAD', 'GET']],
] as const)(
  'a BMC that takes firmware by %s has what was checked by %s, and the machine is restarted for it',
  async (ways, algorithm, requests) => {
    expect(await update([...ways], digest(algorithm))).toEqual({
      phase: 'done',
      note: null,
      versions: ['3.1.4'],
      starts: 1,
    })
    expect(asked).toEqual(requests)
  },
)

test.each([[['multipart']], [['push']], [['fetch']]] as const)(
  'by %s, what has another checksum changes nothing',
  async (ways) => {
    const end = await update([...ways], digest('sha256').replace(/^../, '00'))
    expect(end).toMatchObject({ phase: 'failed', starts: 0 })
    expect(end.note).toMatch(/the firmware at 127\.0\.0\.1:\d+ has sha256 [0-9a-f]{64}, not 00[0-9a-f]{62}/)
    expect(end.versions).toEqual(expect.arrayContaining(before))
  },
)
