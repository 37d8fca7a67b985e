import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connectAsync } from 'mqtt'
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { pushImage } from '../../cli/images/push.ts'
import { openSource } from '../../cli/images/source.ts'
import { type Client, createClient } from '../../contract/api/client.ts'
import { DEPLOY_LOG_DAYS, type DeployLogView } from '../../contract/deploy-log.ts'
import { CHUNK_BYTES } from '../../contract/images/manifest.ts'
import { type Command, downlink } from '../../contract/messages.ts'
import { newSealingKey } from '../../contract/seal.ts'
import { topics } from '../../contract/topics.ts'
import { importerOf } from '../../lambdas/aws/importer.ts'
import { awsPlatform } from '../../lambdas/aws/platform.ts'
import { findEntry, recordStore } from '../../lambdas/image-service/records.ts'
import { takeTurn } from '../../lambdas/image-service/turn.ts'
import { imageBlob } from '../../lambdas/store/images.ts'
import { addressGuard } from '../../lambdas/webhooks/address-guard.ts'
import { newRequest } from '../contracts/certificate-request.ts'
import { importing } from './importing.ts'
import { type LambdaCloud, startLambdaCloud } from './lambda-cloud.ts'
import { type PaperRack, plugInPaperRack } from './paper-rack.ts'

let cloud: LambdaCloud
let client: Client
beforeAll(async () => {
  cloud = await startLambdaCloud()
  client = createClient({
    endpoint: cloud.endpoint,
    auth: { username: cloud.user.name, password: cloud.user.password },
  })
}, 600_000)
afterAll(async () => cloud?.stop())
beforeEach(({ onTestFailed }) => onTestFailed(() => console.log(cloud.log().join('\n'))))

const patience = { timeout: 60_000, interval: 200 }

test('nobody is let in without a password, but anybody may ask for the versions', async () => {
  await expect(createClient({ endpoint: cloud.endpoint }).nodes.list()).rejects.toMatchObject({ status: 401 })
  const stranger = createClient({ endpoint: cloud.endpoint, auth: { username: cloud.user.name, password: 'guess' } })
  await expect(stranger.nodes.list()).rejects.toMatchObject({ status: 401 })
  expect(await createClient({ endpoint: cloud.endpoint }).root()).toHaveProperty('versions')
})

test('an image is taken as announced, and not otherwise', async () => {
  const bytes = randomBytes(100_000)
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  const { image, upload } = await client.images.create({
    name: 'noise',
    size: bytes.length,
    sha256,
    disk_format: 'raw',
  })
  const put = (body: Buffer<ArrayBuffer>) => fetch(upload.url, { method: 'PUT', headers: upload.headers, body })
  expect((await put(Buffer.alloc(bytes.length))).status).toBe(400)
  await expect(client.images.complete(image.uuid)).rejects.toMatchObject({ status: 409 })
  expect((await put(Buffer.from(bytes))).status).toBe(200)
  expect(await client.images.complete(image.uuid)).toMatchObject({ state: 'active', os_hash_value: sha256 })
})

test('what an appliance sends that is no message is dropped with a line that the metric filter counts', async () => {
  await client.sites.create('noisy')
  const { token } = await client.sites.createToken('noisy')
  const { csr, privateKey } = await newRequest()
  const sealing_key = newSealingKey().publicKey
  const joined = await client.enrol({ token, name: 'noisy-appliance', csr, sealing_key })
  expect(joined).toMatchObject({ site: 'noisy', broker: cloud.broker })
  expect(joined.authorities).toContain(cloud.authorities.trim())

  const { appliance, broker, certificate, authorities } = joined
  const tls = { key: privateKey, cert: certificate, ca: authorities }
  const connection = await connectAsync(broker, { clientId: appliance, ...tls, reconnectPeriod: 0 })
  await connection.publishAsync(topics.up(appliance), Buffer.from([0xff, 0x00, 0x7b]), { qos: 1 })
  const dropped = () => cloud.log().filter((line) => line.includes('"poison":true') && line.includes(appliance))
  await expect.poll(dropped, patience).toHaveLength(1)
  await connection.endAsync(true)
})

test('what people change of a node reaches who looks after it, who hears also that it has gone to another site', async () => {
  const [here, there] = [await joinByHand('here'), await joinByHand('there')]
  const driver_info = { ipmi_address: '192.0.2.1', ipmi_username: 'admin', ipmi_password: 'secret' }
  const interfaces = { console_interface: 'ipmitool-socat' }
  const { uuid } = await client.nodes.create({ driver: 'ipmi', conductor_group: 'here', driver_info, ...interfaces })
  await client.nodes.setConsole(uuid, { enabled: true })
  await client.nodes.patch(uuid, [{ op: 'add', path: '/driver_info/ipmi_address', value: '192.0.2.2' }])
  await expect.poll(() => here.heard(), patience).toEqual(['console', 'watch'])
  await client.nodes.patch(uuid, [
    { op: 'add', path: '/conductor_group', value: 'there' },
    { op: 'add', path: '/driver_info/ipmi_password', value: 'secret' },
  ])
  await expect.poll(() => here.heard(), patience).toEqual(['console', 'watch', 'release'])
  await expect.poll(() => there.heard(), patience).toEqual(['watch', 'console'])
  await client.nodes.delete(uuid)
  await expect.poll(() => there.heard(), patience).toEqual(['watch', 'console', 'forget'])
  await here.leave()
  await there.leave()
})

/** An appliance that listens and says nothing. */
async function joinByHand(site: string) {
  await client.sites.create(site)
  const { token } = await client.sites.createToken(site)
  const { csr, privateKey } = await newRequest()
  const sealing_key = newSealingKey().publicKey
  const joined = await client.enrol({ token, name: `${site}-appliance`, csr, sealing_key })
  const tls = { key: privateKey, cert: joined.certificate, ca: joined.authorities }
  const connection = await connectAsync(joined.broker, { clientId: joined.appliance, ...tls, reconnectPeriod: 0 })
  const commands = new Map<number, Command>()
  connection.on('message', (_, payload) => {
    const message = downlink.parse(JSON.parse(payload.toString()))
    if (message.kind === 'commands') for (const command of message.commands) commands.set(command.seq, command)
  })
  await connection.subscribeAsync(topics.down(joined.appliance), { qos: 1 })
  const heard = () => [...commands.values()].toSorted((a, b) => a.seq - b.seq).map(({ kind }) => kind)
  return { heard, leave: () => connection.endAsync(true) }
}

test('an event comes to the courier of a webhook, which goes nowhere but to public addresses', async () => {
  // A name that this machine has for itself, or nobody for anything.
  await client.webhooks.create({ name: 'mine', url: 'https://ip6-localhost/' })
  await client.nodes.create({ driver: 'fake-hardware', name: 'told' })
  await client.nodes.maintenance('told', 'to be told of')
  const why = async () => (await client.webhooks.get('mine')).status?.last_error
  await expect.poll(why, patience).toMatch(/^ip6-localhost is at .* may not reach$|ENOTFOUND|EAI_AGAIN/)
})

test('an image of a web server is fetched with the rights of its function, which goes nowhere but to public addresses', async () => {
  const variables = cloud.environmentOf('imports')
  for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value)
  const platform = awsPlatform(variables)
  const bytes = randomBytes(6 * 1024 ** 2)
  const server = createServer((_, response) => response.end(bytes)).listen(0, '127.0.0.1')
  try {
    await once(server, 'listening')
    const wanted = async (url: string): Promise<string> => {
      const record = importing(url, new Date())
      await recordStore.save(platform.table, undefined, record)
      return record.uuid
    }
    const record = async (uuid: string) => (await findEntry(platform.table, uuid))?.record
    const refused = await wanted('https://ip6-localhost/disk.raw')
    await importerOf(variables).wake(refused)

    const fetched = await wanted(`http://127.0.0.1:${(server.address() as AddressInfo).port}/disk.raw`)
    const guard = addressGuard(['127.0.0.0/8'])
    const partBytes = 5 * 1024 ** 2
    expect(await takeTurn({ ...platform, guard, end: AbortSignal.timeout(120_000), partBytes }, fetched)).toBe(true)
    const checksum = createHash('md5').update(bytes).digest('hex')
    expect(await record(fetched)).toMatchObject({ status: 'active', data: { size: bytes.length, checksum } })
    expect((await platform.blobs.head(imageBlob(fetched)))?.size).toBe(bytes.length)

    const why = async () => (await record(refused))?.download?.failed
    // It is tried three times, and a resolver that nobody answers takes its time.
    await expect
      .poll(why, { ...patience, timeout: 120_000 })
      .toMatch(/which the cloud may not reach$|ENOTFOUND|EAI_AGAIN/)
    expect(await record(refused)).toMatchObject({ status: 'queued' })
  } finally {
    server.close()
    vi.unstubAllEnvs()
  }
}, 300_000)

test(
  'a site fetches an image beforehand, and a machine of the paper rack deploys through the bundles, is torn down again, and what its ramdisk logs is kept for a while',
  { timeout: 600_000 },
  async () => {
    await client.sites.create('paper')
    const { token } = await client.sites.createToken('paper')
    const rack = await plugInPaperRack(cloud.endpoint, token, 1)
    try {
      await prefetchInChunks()
      await deploy(rack)
    } catch (error) {
      console.log(rack.log.join('\n'))
      throw error
    } finally {
      await rack.stop()
    }
  },
)

/** Pushed in chunks through the cloud's functions, then asked for at the site before anybody deploys it. */
async function prefetchInChunks(): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'bloomery-prefetch-'))
  try {
    const file = join(dir, 'ahead.raw')
    await writeFile(file, Buffer.concat([randomBytes(1.5 * CHUNK_BYTES), Buffer.alloc(3 * CHUNK_BYTES)]))
    await using source = await openSource(file, undefined, () => () => {})
    const progress = { read() {}, stored() {}, skipped() {} }
    await pushImage({ client, name: 'ahead', source, key: undefined, progress })
  } finally {
    await rm(dir, { recursive: true })
  }
  await client.images.prefetch('ahead', 'paper')
  const seen = async () => (await client.images.prefetches('ahead')).prefetches
  await expect
    .poll(seen, { timeout: 60_000, interval: 250 })
    .toMatchObject([{ phase: 'done', percent: 100, note: null }])
}

async function deploy({ machines: [machine] }: PaperRack): Promise<void> {
  if (!machine) throw new Error('the rack is empty')
  const bytes = randomBytes(300_000)
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  const { image, upload } = await client.images.create({
    name: 'paper',
    size: bytes.length,
    sha256,
    disk_format: 'raw',
  })
  await fetch(upload.url, { method: 'PUT', headers: upload.headers, body: bytes })
  await client.images.complete(image.uuid)

  const { uuid } = await client.nodes.create({
    name: machine.name,
    driver: 'ipmi',
    conductor_group: 'paper',
    driver_info: {
      ipmi_address: '127.0.0.1',
      ipmi_port: machine.port,
      ipmi_username: 'admin',
      ipmi_password: machine.password,
    },
    properties: { cpu_arch: 'x86_64', capabilities: 'boot_mode:uefi' },
  })
  await client.ports.create({ node_uuid: uuid, address: machine.mac })
  const reach = (state: string) =>
    expect
      .poll(
        async () => {
          const { provision_state, last_error } = await client.nodes.get(uuid)
          return provision_state === state ? state : `${provision_state}: ${last_error}`
        },
        { timeout: 60_000, interval: 250 },
      )
      .toBe(state)

  await client.nodes.provision(uuid, 'manage')
  await reach('manageable')
  await client.nodes.provision(uuid, 'provide')
  await reach('available')
  await client.nodes.patch(uuid, [{ op: 'add', path: '/instance_info/image_source', value: 'paper' }])
  await client.nodes.provision(uuid, 'active', { configdrive: { meta_data: { hostname: 'paper' } } })
  await reach('active')
  await expect.poll(() => machine.boots.at(-1), patience).toBe(`disk ${sha256}`)
  expect(machine.disk.configDrive).toBeDefined()
  expect(await client.nodes.get(uuid)).toMatchObject({ power_state: 'power on', last_error: null })

  await client.nodes.provision(uuid, 'deleted')
  await reach('available')
  await expect.poll(() => machine.power, patience).toBe('off')
  expect(machine.accidents).toEqual([])

  machine.diskFault = 'the disk is broken'
  await client.nodes.patch(uuid, [{ op: 'add', path: '/instance_info/image_source', value: 'paper' }])
  await client.nodes.provision(uuid, 'active')
  await reach('deploy failed')
  await keepsItsLogs(uuid)
}

/** What a ramdisk logged of a deploy that failed comes to the bucket, is fetched from there, and goes when it is old. */
async function keepsItsLogs(node: string): Promise<void> {
  const logs = async () => (await client.nodes.deployLogs(node)).deploy_logs
  await expect.poll(async () => (await logs()).length, { ...patience, timeout: 60_000 }).toBe(1)
  const [{ uuid, url, bytes, sha256 }] = (await logs()) as [DeployLogView]
  const content = Buffer.from(await (await fetch(url)).arrayBuffer())
  expect([content.length, createHash('sha256').update(content).digest('hex')]).toEqual([bytes, sha256])
  await cloud.backdate('deploy-log', uuid, DEPLOY_LOG_DAYS + 1)
  await cloud.tick()
  await expect.poll(logs, patience).toEqual([])
  expect((await fetch(url)).status).toBe(404)
}
