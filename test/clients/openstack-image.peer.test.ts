import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { adminPasswordFile } from '../../standalone/keystone.ts'
import { cloudHere, type CloudHere } from '../scenarios/cloud-here.ts'
import { OpenStackShell } from './openstack-shell.ts'

/** OpenStack's own client, unmodified, keeps images in the cloud of one process. */

const home = mkdtempSync(join(tmpdir(), 'bloomery-images-'))
const disk = partitioned(randomBytes(8 * 1024 * 1024))
let cloud: CloudHere
let web: Server
let shell: OpenStackShell

beforeAll(async () => {
  writeFileSync(join(home, 'disk.raw'), disk)
  web = createServer((_, response) => response.end(disk))
  await new Promise<void>((resolve) => {
    web.listen(0, '127.0.0.1', () => resolve())
  })
  cloud = await cloudHere({ auth: 'keystone', 'webhook-networks': '127.0.0.0/8' })
  shell = new OpenStackShell({
    OS_AUTH_URL: `${cloud.endpoint}/identity`,
    OS_USERNAME: 'admin',
    OS_PASSWORD: readFileSync(adminPasswordFile(cloud.dataDir), 'utf8').trim(),
    OS_USER_DOMAIN_NAME: 'Default',
    OS_REGION_NAME: 'RegionOne',
    OS_PROJECT_NAME: 'admin',
    OS_PROJECT_DOMAIN_NAME: 'Default',
  })
}, 120_000)
afterAll(async () => {
  shell?.[Symbol.dispose]()
  web?.close()
  await cloud?.stopAndForget()
  rmSync(home, { recursive: true })
})

/** One partition of Linux, in an MBR. */
function partitioned(bytes: Buffer): Buffer {
  bytes.fill(0, 446, 510)
  bytes[450] = 0x83
  bytes.writeUInt32LE(2048, 454)
  bytes.writeUInt32LE(8192, 458)
  bytes.writeUInt16LE(0xaa55, 510)
  return bytes
}

async function text(line: string): Promise<string> {
  const { code, stdout, stderr } = await shell.run(line.split(' '))
  if (code !== 0) throw new Error(`${line}: ${stderr}`)
  return stdout
}
// oxlint-disable-next-line typescript/no-explicit-any -- what another program prints
const json = async (line: string): Promise<any> => JSON.parse(await text(`${line} -f json`))
const hash = (name: string, bytes: Uint8Array): string => createHash(name).update(bytes).digest('hex')
const names = async (line: string): Promise<string[]> => (await json(line)).map((each: { Name: string }) => each.Name)

it('creates an image of a file, shows it and saves it again', async () => {
  const made = await json(
    `image create debian --file ${join(home, 'disk.raw')} --disk-format raw --container-format bare --min-disk 8 --property os_distro=debian --tag stable`,
  )
  expect(made).toMatchObject({ name: 'debian', container_format: 'bare' })
  const shown = await json('image show debian')
  expect(shown).toMatchObject({
    status: 'active',
    size: disk.length,
    checksum: hash('md5', disk),
    min_disk: 8,
    tags: ['stable'],
    visibility: 'shared',
    properties: { os_distro: 'debian', os_hash_algo: 'sha512', os_hash_value: hash('sha512', disk) },
  })
  await expect.poll(async () => (await json('image show debian')).virtual_size, { timeout: 60_000 }).toBe(disk.length)
  await text(`image save debian --file ${join(home, 'saved.raw')}`)
  expect(hash('sha256', readFileSync(join(home, 'saved.raw')))).toBe(hash('sha256', disk))
}, 180_000)

it('stages and imports, fetches from the web, and deletes', async () => {
  const staged = await json(`image create staged --file ${join(home, 'disk.raw')} --disk-format raw --import`)
  await expect.poll(async () => (await json(`image show ${staged.id}`)).status, { timeout: 60_000 }).toBe('active')
  // Debian's client has no command for this import; its library's way is this request.
  const { id } = await json('image create fetched --disk-format raw')
  const token = (await json('token issue')).id
  const reply = await fetch(`${cloud.endpoint}/image/v2/images/${id}/import`, {
    method: 'POST',
    headers: { 'x-auth-token': token, 'content-type': 'application/json' },
    body: JSON.stringify({
      method: { name: 'web-download', uri: `http://127.0.0.1:${(web.address() as AddressInfo).port}/d.raw` },
    }),
  })
  expect(reply.status).toBe(202)
  const shown = () => json('image show fetched')
  await expect.poll(async () => (await shown()).status, { timeout: 60_000 }).toBe('active')
  expect(await shown()).toMatchObject({ checksum: hash('md5', disk) })
  await text('image delete debian staged fetched')
  expect(await names('image list')).toEqual([])
}, 180_000)
