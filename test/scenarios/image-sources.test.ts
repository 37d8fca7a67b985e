import { createHash, randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { once } from 'node:events'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Fleet, type Member } from '../rack/paper/fleet.ts'
import { cloudHere, type CloudHere } from './cloud-here.ts'
import { filesUnder } from './files-under.ts'

const disk = randomBytes(300_000)
const digest = createHash('sha256').update(disk).digest('hex')
const SECRET = `robot:${randomBytes(9).toString('base64url')}`
const basic = `Basic ${Buffer.from(SECRET).toString('base64')}`

let cloud: CloudHere
let fleet: Fleet
let server: Server
let base: string

beforeAll(async () => {
  server = createServer(({ url, headers }, reply) => {
    if (headers.authorization !== basic) reply.writeHead(401).end()
    else if (url === '/SHA256SUMS') reply.end(`${'0'.repeat(64)}  other.raw\n${digest}  d.raw\n`)
    else reply.end(disk)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  cloud = await cloudHere()
  fleet = new Fleet({ endpoint: cloud.endpoint, sites: 1, machinesPerSite: 3, speed: 100 })
  await fleet.join()
  await fleet.makeAvailable(fleet.members)
})
afterAll(async () => {
  await fleet?.tearDown()
  await cloud?.stopAndForget()
  server?.closeAllConnections()
  server?.close()
})

async function deploy(at: number, info: Record<string, string>): Promise<Member> {
  const member = fleet.members[at]!
  const patch = Object.entries(info).map(([key, value]) => ({
    op: 'add' as const,
    path: `/instance_info/${key}`,
    value,
  }))
  await fleet.client.nodes.patch(member.uuid, patch)
  await fleet.client.nodes.provision(member.uuid, 'active')
  return member
}

test('an image behind a password, held to its checksum file, is deployed; the password is nobody’s but the site’s', async () => {
  const { uuid, machine } = await deploy(0, {
    image_source: `${base}/d.raw`,
    image_checksum: `${base}/SHA256SUMS`,
    image_request_authorization_secret: SECRET,
  })
  const shown = await fleet.client.nodes.get(uuid)
  expect(shown.instance_info['image_request_authorization_secret']).toBe('******')
  await fleet.reach([fleet.members[0]!], 'active', 60_000)
  expect(machine.disk.image).toBe(digest)
  const files = [cloud.dataDir, fleet.dir].flatMap(filesUnder)
  expect(files.length).toBeGreaterThan(2)
  expect(files.filter(({ bytes }) => bytes.includes(SECRET)).map(({ path }) => path)).toEqual([])
  expect([...cloud.logged, ...fleet.logged].filter((line) => line.includes(SECRET))).toEqual([])
})

test('a file of the site’s own is deployed from where its operator allows, and from nowhere else', async () => {
  const folder = join(fleet.dir, 'site-1', 'local-images')
  mkdirSync(folder)
  writeFileSync(join(folder, 'd.raw'), disk)
  const { machine } = await deploy(1, { image_source: `file://${folder}/d.raw` })
  const refused = await deploy(2, { image_source: `file://${join(fleet.dir, 'site-1', 'ledger.sqlite')}` })
  await fleet.reach([fleet.members[1]!], 'active', 60_000)
  expect(machine.disk.image).toBe(digest)
  await fleet.awaitState(refused.uuid, 'deploy failed', 60_000)
  const { last_error: error } = await fleet.client.nodes.get(refused.uuid)
  expect(error).toContain('none of the folders whose files may be deployed here')
})
