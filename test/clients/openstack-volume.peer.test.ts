import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, readSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { freePort } from '@bloomery/wire/free-port.ts'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startTargets, type Targets } from '../../appliance/volumes/target.ts'
import { adminPasswordFile } from '../../standalone/keystone.ts'
import { Fleet } from '../rack/paper/fleet.ts'
import { cloudHere, type CloudHere } from '../scenarios/cloud-here.ts'
import { OpenStackShell } from './openstack-shell.ts'
import { systemToken } from './way-in.ts'

/** OpenStack's own client, unmodified, makes volumes at a site: through a cloud and an appliance, onto Debian's tgtd. */

const LONG = 180_000
const WAIT = { timeout: 90_000, interval: 200 }
const INITIATOR = 'iqn.2026-11.org.example:node-1'
const dir = mkdtempSync(join(tmpdir(), 'bloomery-volumes-'))
const image = Buffer.concat([randomBytes(700_000), Buffer.alloc(2_000_000), randomBytes(300_000)])
let cloud: CloudHere
let fleet: Fleet
let targets: Targets
let shell: OpenStackShell

beforeAll(async () => {
  writeFileSync(join(dir, 'image.raw'), image)
  cloud = await cloudHere({ auth: 'keystone' })
  const password = readFileSync(adminPasswordFile(cloud.dataDir), 'utf8').trim()
  const token = await systemToken(cloud.endpoint, password)
  const socketDir = join(dir, 'iscsi')
  mkdirSync(socketDir)
  const portal = `127.0.0.1:${await freePort()}`
  const log = { debug() {}, info() {}, warn() {}, error() {} }
  targets = await startTargets({ dir: socketDir, portal, log })
  const volumes = { dir: join(dir, 'volumes'), gib: 20, portal, iqn: 'iqn.2026-11.org.example', targets }
  const withToken: typeof fetch = (url, init) =>
    fetch(url, { ...init, headers: { ...(init?.headers as Record<string, string>), 'x-auth-token': token } })
  fleet = new Fleet({ endpoint: cloud.endpoint, sites: 1, machinesPerSite: 0, speed: 1, fetch: withToken, volumes })
  await fleet.join()
  shell = new OpenStackShell({
    OS_AUTH_URL: `${cloud.endpoint}/identity`,
    OS_USERNAME: 'admin',
    OS_PASSWORD: password,
    OS_PROJECT_NAME: 'admin',
    OS_USER_DOMAIN_NAME: 'Default',
    OS_PROJECT_DOMAIN_NAME: 'Default',
    OS_REGION_NAME: 'RegionOne',
    OS_VOLUME_API_VERSION: '3.59',
  })
}, LONG)
afterAll(async () => {
  shell?.[Symbol.dispose]()
  await fleet?.tearDown()
  await targets?.stop()
  await cloud?.stopAndForget()
  rmSync(dir, { recursive: true, force: true })
})

async function text(line: string): Promise<string> {
  const { code, stdout, stderr } = await shell.run(line.split(' '))
  if (code !== 0) throw new Error(`${line}: ${stderr}`)
  return stdout
}
// oxlint-disable-next-line typescript/no-explicit-any -- what another program prints
const json = async (line: string): Promise<any> => JSON.parse(await text(`${line} -f json`))
/** For what the client asks a server for, of which there is none here. */
async function asOwner() {
  const token = (await text('token issue -f value -c id')).trim()
  return async (method: string, path: string, body?: unknown) => {
    const reply = await fetch(`${cloud.endpoint}/volume/v3${path}`, {
      method,
      headers: { 'x-auth-token': token, 'openstack-api-version': 'volume 3.59', 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    // oxlint-disable-next-line typescript/no-explicit-any -- what a stranger's program would get
    return (await reply.json()) as any
  }
}
/** The rest of the file is a hole. */
function beginning(path: string, bytes: number): Buffer {
  const file = openSync(path, 'r')
  const read = Buffer.alloc(bytes)
  readSync(file, read, 0, bytes, 0)
  closeSync(file)
  return read
}

const becomes = (name: string, status: string) =>
  expect.poll(async () => (await json(`volume show ${name}`)).status, WAIT).toBe(status)
const gone = (name: string, list = 'volume list') =>
  expect.poll(async () => (await json(list)).map((each: { Name: string }) => each.Name), WAIT).not.toContain(name)

it('makes a volume at a site, describes it, lets it grow', { timeout: LONG }, async () => {
  expect(await json('volume create --size 1 --property use=data --availability-zone site-1 data')).toMatchObject({
    name: 'data',
    status: 'creating',
    size: 1,
  })
  await becomes('data', 'available')
  expect(await json('volume show data')).toMatchObject({
    properties: { use: 'data' },
    availability_zone: 'site-1',
    bootable: 'false',
  })
  expect(await json('volume list --long')).toMatchObject([{ Name: 'data', Status: 'available', Size: 1 }])
  await text('volume set --size 2 --name more --bootable data')
  await becomes('more', 'available')
  expect(await json('volume show more')).toMatchObject({ size: 2, bootable: 'true' })
  await text('volume unset --property use more')
  expect((await json('volume show more')).properties).toEqual({})
})

it('keeps types, zones and services', { timeout: LONG }, async () => {
  await text('volume type create --property volume_backend_name=site-1 fast')
  expect(await json('volume type show fast')).toMatchObject({ properties: { volume_backend_name: 'site-1' } })
  expect(await json('availability zone list --volume')).toMatchObject([
    { 'Zone Name': 'site-1', 'Zone Status': 'available' },
  ])
  expect(await json('volume service list')).toMatchObject([{ Binary: 'cinder-volume', Zone: 'site-1', State: 'up' }])
  await text('volume create --size 1 --type fast typed')
  await becomes('typed', 'available')
  await text('volume delete typed')
  await gone('typed')
  await text('volume type delete fast')
})

it('makes one of an image, a snapshot of that, and another one of the snapshot', { timeout: LONG }, async () => {
  await text(`image create small --disk-format raw --container-format bare --file ${join(dir, 'image.raw')}`)
  await text('volume create --size 1 --image small root')
  await becomes('root', 'available')
  const { id, bootable } = await json('volume show root')
  expect(bootable).toBe('true')
  const disk = (uuid: string): Buffer => beginning(join(dir, 'volumes', uuid, 'disk'), image.length)
  expect(disk(id).equals(image)).toBe(true)
  await text('volume snapshot create --volume root before')
  await expect.poll(async () => (await json('volume snapshot show before')).status, WAIT).toBe('available')
  await text('volume create --snapshot before --size 1 again')
  await becomes('again', 'available')
  expect(disk((await json('volume show again')).id).equals(image)).toBe(true)
  await text('volume delete again')
  await gone('again')
  await text('volume snapshot delete before')
  await gone('before', 'volume snapshot list')
})

it('attaches one to an initiator, which logs in with what it is told, and detaches it', { timeout: LONG }, async () => {
  const { id } = await json('volume show root')
  const ask = await asOwner()
  const [initiator, host] = [INITIATOR, 'n1']
  const { attachment } = await ask('POST', '/attachments', {
    attachment: { volume_uuid: id, connector: { initiator, host } },
  })
  const info = attachment.connection_info
  const url = `iscsi://${info.auth_username}%${info.auth_password}@${info.target_portal}/${info.target_iqn}/${info.target_lun}`
  const { stdout } = await promisify(execFile)('iscsi-readcapacity16', ['-i', INITIATOR, '-s', url])
  expect(stdout).toContain(String(2 ** 30))
  await text(`volume attachment complete ${attachment.id}`)
  await becomes('root', 'in-use')
  expect((await json(`volume attachment show ${attachment.id}`))['Properties']).not.toHaveProperty('auth_password')
  await ask('DELETE', `/attachments/${attachment.id}`)
  await becomes('root', 'available')
  await expect(promisify(execFile)('iscsi-readcapacity16', ['-i', INITIATOR, '-s', url])).rejects.toThrow()
  expect(fleet.logged.join('') + cloud.logged.join('')).not.toContain(info.auth_password)
})

async function refused(line: string): Promise<string> {
  const { code, stderr } = await shell.run(line.split(' '))
  expect(code, line).not.toBe(0)
  return stderr
}

it('changes what is said of them, for administrators their state too', { timeout: LONG }, async () => {
  await text('volume set --state error more')
  await becomes('more', 'error')
  await text('volume set --state available --non-bootable --property a=b --read-write more')
  expect(await json('volume show more')).toMatchObject({
    status: 'available',
    bootable: 'false',
    properties: { a: 'b' },
  })
  await text('volume set --no-property more')
  expect(await refused('volume set --read-only more')).toMatch(/reading and writing/)
  expect(await refused('volume set --type fast --retype-policy on-demand more')).toMatch(/fast/)
  await text('volume snapshot create --volume more --property a=b then')
  await expect.poll(async () => (await json('volume snapshot show then')).status, WAIT).toBe('available')
  await text('volume snapshot set --name now --description words --property c=d --state error then')
  await text('volume snapshot unset --property a now')
  expect(await json('volume snapshot show now')).toMatchObject({ status: 'error', properties: { c: 'd' } })
  expect(await json('volume snapshot list --volume more --long')).toMatchObject([{ Name: 'now' }])
  await text('volume snapshot delete --force now')
  await gone('now', 'volume snapshot list')
})

it('keeps types for some projects only', { timeout: LONG }, async () => {
  await text('volume type create --private --project admin --description words ours')
  await text('volume type set --name mine --property volume_backend_name=site-1 ours')
  await text('volume type unset --property volume_backend_name mine')
  expect(await json('volume type show mine')).toMatchObject({ is_public: false, properties: {} })
  expect((await json('volume type show mine')).access_project_ids).toHaveLength(1)
  expect(await json('volume type list --private')).toMatchObject([{ Name: 'mine' }])
  await text('volume type unset --project admin mine')
  await text('volume type delete mine')
})

it('gives to whoever has the key', { timeout: LONG }, async () => {
  const given = await json('volume transfer request create more --name present')
  expect(given).toMatchObject({ name: 'present', auth_key: expect.any(String) })
  expect(await json('volume transfer request list')).toMatchObject([{ ID: given.id, Name: 'present' }])
  expect(await json(`volume transfer request show ${given.id}`)).toMatchObject({ id: given.id, name: 'present' })
  expect(await refused(`volume transfer request accept ${given.id} --auth-key guessed`)).toMatch(/invalid auth key/)
  await text(`volume transfer request accept ${given.id} --auth-key ${given.auth_key}`)
  await becomes('more', 'available')
  await text(`volume transfer request delete ${(await json('volume transfer request create more')).id}`)
  await becomes('more', 'available')
})

it('attaches by name, and tells what a server needs', { timeout: LONG }, async () => {
  await text('flavor create metal --ram 512 --disk 1 --vcpus 1 --property resources:CUSTOM_METAL=1')
  // There is no machine for it: it fails, and is there.
  await text('server create web --flavor metal --image small')
  const connector = `--connect --initiator ${INITIATOR} --host n1 --mountpoint /dev/sdb`
  const made = await json(`volume attachment create more web ${connector}`)
  expect(made['Properties']).toMatchObject({ driver_volume_type: 'iscsi', auth_method: 'CHAP' })
  expect(await json('volume attachment list')).toMatchObject([{ ID: made.ID, Status: 'attaching' }])
  await text(`volume attachment set --initiator ${INITIATOR} --host n2 ${made.ID}`)
  await text(`volume attachment complete ${made.ID}`)
  expect(await json(`volume attachment show ${made.ID}`)).toMatchObject({ Status: 'attached' })
  await text(`volume attachment delete ${made.ID}`)
  await becomes('more', 'available')
  await text('server delete web')
})

it('says of what is not there that it is not', { timeout: LONG }, async () => {
  for (const line of ['volume backup create more', 'volume migrate --host x more'])
    expect(await refused(line), line).not.toMatch(/500|Internal/)
  await text('quota set --class --volumes 2 default')
  expect(await refused('volume create --size 1 third')).toMatch(/Quota exceeded for volumes/)
  await text('quota set --class --volumes -1 default')
})

it('deletes them', { timeout: LONG }, async () => {
  await text('volume delete root more')
  await gone('root')
  await gone('more')
})
