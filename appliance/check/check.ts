import { randomInt } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { lookup } from 'node:dns/promises'
import { existsSync, readFileSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { createServer } from 'node:net'
import { networkInterfaces } from 'node:os'
import { dirname } from 'node:path'
import { contains } from '@bloomery/dhcp/subnet.ts'
import { ipv4ToText } from '@bloomery/wire/address.ts'
import type { BootConfig } from '../boot/config.ts'
import { openBootFiles } from '../boot/files.ts'
import type { ApplianceConfig } from '../config.ts'
import { failed, ok, type Finding } from './finding.ts'
import { foreignServers } from './foreign-servers.ts'
import { checkClock, checkDisk, checkName, checkPort } from './host.ts'
import {
  answersPing,
  bridgeOn,
  isVirtual,
  lateStartsCounted,
  offloadFeatures,
  resolverProblem,
  takesWholeFrames,
} from './measure.ts'
import {
  checkAddresses,
  checkBroadcastRoute,
  checkForeignServers,
  checkMtu,
  provisioningInterfaces,
} from './network.ts'
import { checkDevice, checkOffload, checkPath, checkRelay, checkResolver, checkSpanningTree } from './wire.ts'

const OFFER_MS = 3_000
const CLOUD_MS = 10_000

/** Looks for what breaks boots at this host and on its networks. Nothing is changed; it may run beside the appliance. */
export async function checkAppliance(config: ApplianceConfig, endpoint: string): Promise<Finding[]> {
  const { boot } = config
  const interfaces = networkInterfaces()
  const provisioning = provisioningInterfaces(boot, interfaces)
  const ports = await checkPorts(config)
  return [
    ...checkAddresses(boot, interfaces),
    ...provisioning.map((name) => checkMtu(name, Number(readFileSync(`/sys/class/net/${name}/mtu`, 'utf8')))),
    ...(await checkLinks(boot, provisioning, await lateStartsCounted(config.metrics_port))),
    ...(await checkBeyond(boot)),
    ...ports,
    await checkOthers(boot.subnets),
    await checkFiles(boot.files),
    await disk(config),
    ...(await checkCloud(new URL(endpoint))),
  ]
}

/** What the interfaces of machines are like. Those that subnets name are bound to, and need no route for broadcasts. */
async function checkLinks(boot: BootConfig, provisioning: string[], late: number | undefined): Promise<Finding[]> {
  const devices = [...new Set(boot.subnets.map(({ device }) => device).filter((name) => name !== undefined))]
  const findings = devices.map((name) => checkDevice(name, existsSync(`/sys/class/net/${name}`)))
  if (devices.length === 0) findings.push(checkBroadcastRoute(readFileSync('/proc/net/route', 'utf8'), provisioning))
  for (const name of provisioning)
    findings.push(
      checkOffload(name, await offloadFeatures(name), isVirtual(name)),
      checkSpanningTree(name, await bridgeOn(name), late),
    )
  return findings
}

/** Relays, and the name servers that machines are told. */
async function checkBeyond({ subnets }: BootConfig): Promise<Finding[]> {
  const relayed = subnets.filter((subnet) => !contains(subnet, subnet.serverAddress))
  const relays = relayed.map(async ({ network, prefix, router }) => {
    const gateway = router === undefined ? undefined : ipv4ToText(router)
    const answers = gateway === undefined ? undefined : await answersPing(gateway)
    const subnet = `${ipv4ToText(network)}/${prefix}`
    const relay = checkRelay(subnet, gateway, answers)
    if (gateway === undefined || answers !== true) return [relay]
    return [relay, checkPath(subnet, gateway, await takesWholeFrames(gateway))]
  })
  const servers = [...new Set(subnets.flatMap(({ dns }) => dns.map(ipv4ToText)))]
  const resolvers = servers.map(async (server) => checkResolver(server, await resolverProblem(server)))
  return (await Promise.all([...relays, ...resolvers])).flat()
}

async function checkPorts({
  boot,
  door_port: door,
  image_port: image,
  metrics_port: metrics,
}: ApplianceConfig): Promise<Finding[]> {
  const address = boot.nextServer
  const proxies = boot.subnets.some(({ proxy }) => proxy)
  const wanted: [string, 'udp' | 'tcp', number, string][] = [
    ['DHCP', 'udp', boot.dhcp.port ?? 67, boot.dhcp.host ?? '0.0.0.0'],
    ['TFTP', 'udp', boot.tftp.port ?? 69, boot.tftp.host ?? '0.0.0.0'],
    ['HTTP boot', 'tcp', boot.http.port ?? 8_080, boot.http.host ?? '0.0.0.0'],
    ["the agents' door", 'tcp', door, address],
    ['images', 'tcp', image, address],
  ]
  if (proxies) wanted.push(['proxyDHCP', 'udp', boot.dhcp.pxePort ?? 4_011, boot.dhcp.host ?? '0.0.0.0'])
  if (boot.ipv6 !== undefined) wanted.push(['DHCPv6', 'udp', boot.ipv6.ports.dhcp ?? 547, '::'])
  if (metrics !== undefined) wanted.push(['metrics', 'tcp', metrics, '127.0.0.1'])
  const findings = []
  for (const [what, protocol, port, host] of wanted) {
    const refusal = await (protocol === 'udp' ? udpRefusal(port, host) : tcpRefusal(port, host))
    findings.push(checkPort(`${what} (${protocol} ${port})`, refusal))
  }
  return findings
}

function udpRefusal(port: number, host: string): Promise<string | undefined> {
  const socket = createSocket(host.includes(':') ? { type: 'udp6', ipv6Only: true } : { type: 'udp4' })
  return new Promise((resolve) => {
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
    socket.bind(port, host, () => socket.close(() => resolve(undefined)))
  })
}

function tcpRefusal(port: number, host: string): Promise<string | undefined> {
  const server = createServer()
  return new Promise((resolve) => {
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
    server.listen(port, host, () => server.close(() => resolve(undefined)))
  })
}

/** While the appliance runs it has the port; it looks for others itself, and counts them in its metrics. */
async function checkOthers(subnets: ApplianceConfig['boot']['subnets']): Promise<Finding> {
  try {
    return checkForeignServers(await foreignServers(subnets, randomInt(2 ** 32), OFFER_MS))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE')
      return ok(
        'other DHCP servers',
        'left to the appliance that runs here: see its log and bloomery_dhcp_foreign_servers_total',
      )
    const remedy = 'run as root, and see the findings on ports and addresses'
    return failed('other DHCP servers', `could not be looked for: ${(error as Error).message}`, remedy)
  }
}

async function checkFiles(files: ApplianceConfig['boot']['files']): Promise<Finding> {
  try {
    const { loaders, refused } = await openBootFiles(files)
    if (refused.length > 0) return failed('boot files', refused.join('; '), 'apt install --only-upgrade shim-signed')
    return ok('boot files', `${[...loaders.keys()].join(', ')} and the ramdisks are there`)
  } catch (error) {
    return failed('boot files', (error as Error).message, "install Debian's ipxe, or correct boot.files")
  }
}

async function disk({ data_dir: dir, image_cache_gib: cache }: ApplianceConfig): Promise<Finding> {
  let existing = dir
  while (!existsSync(existing)) existing = dirname(existing)
  const { bavail, bsize } = await statfs(existing)
  return checkDisk(dir, bavail * bsize, cache)
}

async function checkCloud(endpoint: URL): Promise<Finding[]> {
  const host = endpoint.hostname.replace(/^\[|\]$/g, '')
  const name = await lookup(host, { all: true }).then(
    (found) =>
      checkName(
        host,
        found.map(({ address }) => address),
        undefined,
      ),
    (error: NodeJS.ErrnoException) => checkName(host, [], error.code ?? error.message),
  )
  if (name.verdict === 'failed') return [name]
  const before = new Date()
  try {
    const reply = await fetch(endpoint, { method: 'HEAD', signal: AbortSignal.timeout(CLOUD_MS) })
    return [name, ok('cloud', `${endpoint.origin} answers`), checkClock(reply.headers.get('date'), before, new Date())]
  } catch (error) {
    const { message, cause } = error as Error
    const why = cause instanceof Error ? cause.message : message
    const remedy = 'see whether the site may reach it (firewall, proxy, --endpoint, --ca)'
    return [name, failed('cloud', `${endpoint.origin} does not answer: ${why}`, remedy)]
  }
}
