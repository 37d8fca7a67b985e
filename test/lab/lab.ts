import { randomBytes } from 'node:crypto'
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import bcrypt from 'bcryptjs'
import type { Ramdisk } from '../../agent/ramdisk/build.ts'
import { withTokens } from '../../cli/keystone.ts'
import { createClient, type Client } from '../../contract/api/client.ts'
import { adminPasswordFile } from '../../standalone/keystone.ts'
import { addresses } from '../rack/qemu/network.ts'
import { startRack, type Rack } from '../rack/qemu/rack.ts'
import { Program } from './program.ts'
import { labRamdisk } from './ramdisk.ts'

export const SITE = 'lab'
export const API_PORT = 6385
/** Where a test may have a registry of containers, on the far side of the WAN. */
export const REGISTRY = `${addresses.cloud}:5000`
const ENROL_MS = 120_000
const ALIVE_MS = 120_000

const bloomery = join(import.meta.dirname, '../../cli/main.ts')

export interface LabOptions {
  name: string
  /** Everything of this lab: logs, disks, the cloud's and the appliance's data. */
  dir: string
  servers: Parameters<typeof startRack>[0]['servers']
  log(line: string): void
  /** How the cloud knows its callers; with keystone it has OpenStack's other services too. Default: http_basic. */
  auth?: 'http_basic' | 'keystone'
  /** False: the network of the servers has no DHCP server, and they boot by virtual media. */
  dhcp?: boolean
  /** Default: that of this checkout, built where needed. */
  ramdisk?: Ramdisk
  /** GiB that the appliance has for volumes. Default: it has none. */
  volumes?: number
}

/** The whole product on one machine: a cloud and an appliance as programs of their own, with a WAN between them, and a rack of QEMU servers. */
export interface Lab {
  rack: Rack
  client: Client
  cloud: Program
  appliance: Program
  /** For the CLI and other clients outside of the namespaces. */
  environment: { BLOOMERY_ENDPOINT: string; BLOOMERY_CA: string; BLOOMERY_USERNAME: string; BLOOMERY_PASSWORD: string }
  stop(): Promise<void>
}

export async function startLab(options: LabOptions): Promise<Lab> {
  const { name, dir, servers, log, auth = 'http_basic', dhcp = true, ramdisk: given, volumes } = options
  const ramdisk = given ?? (await labRamdisk(log))
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  log('rack of ' + servers.map((server) => `${server.name} (${server.firmware})`).join(', '))
  const rack = await startRack({ name, dir: join(dir, 'rack'), servers })
  const stops: (() => Promise<void>)[] = [() => rack.stop()]
  const stop = async (): Promise<void> => {
    for (const each of stops.splice(0).reverse()) await each()
  }
  try {
    log('cloud')
    const data = join(dir, 'cloud')
    mkdirSync(data, { recursive: true, mode: 0o700 })
    const person = { username: 'admin', password: randomBytes(12).toString('base64url') }
    const cloud = cloudProgram(rack, dir, auth === 'keystone' ? ['--auth', auth] : basicAuth(dir, person))
    stops.push(() => cloud.stop())
    await cloud.start()
    const credentials =
      auth === 'keystone' ? { ...person, password: readFileSync(adminPasswordFile(data), 'utf8').trim() } : person
    const door = await rack.openCloud(API_PORT)
    stops.push(() => door.close())
    const authorities = join(dir, 'cloud', 'authorities.pem')
    setDefaultCACertificates([...getCACertificates('default'), readFileSync(authorities, 'utf8')])
    const endpoint = `https://${door.host}:${door.port}`
    const login = { endpoint, ...credentials, project: undefined }
    const client = createClient({ endpoint, auth: credentials, fetch: withTokens(fetch, login) })

    log('appliance')
    await client.sites.create(SITE)
    const appliance = await joinSite(rack, dir, client, { ramdisk, dhcp, volumes })
    stops.push(() => appliance.stop())
    await appliance.start()
    await alive(client, appliance)
    const environment = {
      BLOOMERY_ENDPOINT: endpoint,
      BLOOMERY_CA: authorities,
      BLOOMERY_USERNAME: credentials.username,
      BLOOMERY_PASSWORD: credentials.password,
    }
    return { rack, client, cloud, appliance, environment, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

function basicAuth(dir: string, { username, password }: { username: string; password: string }): string[] {
  const users = join(dir, 'users.htpasswd')
  writeFileSync(users, `${username}:${bcrypt.hashSync(password, 8)}\n`, { mode: 0o600 })
  return ['--auth', 'http_basic', '--htpasswd', users]
}

function cloudProgram(rack: Rack, dir: string, auth: readonly string[]): Program {
  const argv = [process.execPath, bloomery, 'serve', '--data-dir', join(dir, 'cloud'), '--host', rack.cloud.address]
  argv.push('--port', String(API_PORT), ...auth)
  return new Program('cloud', join(dir, 'cloud.log'), /^authority /m, (output) =>
    rack.spawnInCloud(argv, { stdio: ['ignore', output, output] }),
  )
}

/** As the README tells a person: a token from the cloud, one command on the appliance. */
async function joinSite(rack: Rack, dir: string, client: Client, site: SiteParts): Promise<Program> {
  const data = join(dir, 'appliance')
  const config = join(dir, 'appliance.json')
  const logPath = join(dir, 'appliance.log')
  writeFileSync(config, JSON.stringify(applianceConfig(data, site), null, 2))
  const { token } = await client.sites.createToken(SITE)
  const ca = join(dir, 'authorities.pem')
  copyFileSync(join(dir, 'cloud', 'authorities.pem'), ca)
  const enrol = [process.execPath, bloomery, 'appliance', 'enrol', '--name', 'lab-appliance', '--data-dir', data]
  enrol.push('--endpoint', `https://${rack.cloud.address}:${API_PORT}`, '--ca', ca)
  const enrolling = new Program('enrolment', logPath, /joined site/, (output) =>
    rack.spawnInSite(enrol, { stdio: ['ignore', output, output], env: { ...process.env, BLOOMERY_TOKEN: token } }),
  )
  await enrolling.start(ENROL_MS)
  if (!existsSync(join(data, 'identity.json'))) throw new Error(`enrolment left no identity: ${enrolling.tail()}`)
  const run = [process.execPath, bloomery, 'appliance', 'run', '--config', config]
  return new Program('appliance', logPath, /appliance is up/, (output) =>
    rack.spawnInSite(run, { stdio: ['ignore', output, output] }),
  )
}

const subnet = {
  cidr: '10.80.0.0/24',
  interfaceAddress: '10.80.0.1',
  range: ['10.80.0.100', '10.80.0.199'],
  gateway: '10.80.0.1',
  leaseSeconds: 3600,
}

interface SiteParts {
  ramdisk: { kernel: string; initrd: string }
  dhcp: boolean
  volumes: number | undefined
}

function applianceConfig(data: string, { ramdisk: { kernel, initrd }, dhcp, volumes: gib }: SiteParts) {
  return {
    ...(gib === undefined ? {} : { volumes: { gib } }),
    data_dir: data,
    kernel_arguments: 'console=ttyS0',
    media_address: '10.81.0.1',
    image_sources: { oci_http_registries: [REGISTRY] },
    boot: {
      nextServer: '10.80.0.1',
      subnets: dhcp ? [subnet] : [],
      files: { x86_64: { kernel, initrd } },
    },
  }
}

async function alive(client: Client, appliance: Program): Promise<void> {
  const until = Date.now() + ALIVE_MS
  while (!(await client.conductors.list()).some((conductor) => conductor.alive)) {
    if (Date.now() > until) throw new Error(`the cloud has not heard of the appliance: ${appliance.tail()}`)
    await sleep(200)
  }
}
