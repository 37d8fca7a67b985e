import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { addresses } from '../../rack/qemu/network.ts'
import type { Rack } from '../../rack/qemu/rack.ts'
import { type Program, startProgram } from '../program.ts'
import { API_PORT, conductorConf, HTTP_PORT, httpUrl } from './configuration.ts'

const run = promisify(execFile)
const SCHEMA_MS = 300_000

export interface Conductor {
  /** As this process reaches its API. */
  endpoint: string
  /** What it serves by HTTP in the provisioning network. */
  httpRoot: string
  logFile: string
  stop(): Promise<void>
}

/** Debian's Ironic at the place of a site's appliance in a rack: its API and conductor, and the DHCP and HTTP servers that it is meant to
 * have beside it. */
export async function startConductor(rack: Rack, dir: string): Promise<Conductor> {
  const httpRoot = join(dir, 'http')
  const folders = [
    'state',
    'lock',
    'policy.d',
    'http',
    'tftp',
    'tftp-master',
    'images',
    'instance-master',
    'deploy-logs',
  ]
  for (const name of folders) mkdirSync(join(dir, name), { recursive: true })
  const conf = join(dir, 'ironic.conf')
  writeFileSync(conf, conductorConf(dir))
  await run('ironic-dbsync', ['--config-file', conf, 'create_schema'], { timeout: SCHEMA_MS })
  const inSite = ['ip', 'netns', 'exec', rack.site] as const
  const programs: Program[] = []
  const closers: (() => Promise<void>)[] = []
  const stop = async (): Promise<void> => {
    for (const close of closers) await close()
    for (const program of programs.toReversed()) await program.stop()
  }
  const logFile = join(dir, 'ironic.log')
  try {
    const web = ['busybox', 'httpd', '-f', '-p', `${addresses.siteProvisioning}:${HTTP_PORT}`, '-h', httpRoot]
    const answers = ['busybox', 'wget', '-q', '-O', '/dev/null', `${httpUrl}/ready`] as const
    writeFileSync(join(httpRoot, 'ready'), '')
    programs.push(
      await startProgram([...inSite, ...web], join(dir, 'httpd.log'), async () => {
        await run('ip', [...inSite.slice(1), ...answers])
        return true
      }),
    )
    const dhcpLog = join(dir, 'dnsmasq.log')
    programs.push(
      await startProgram([...inSite, 'dnsmasq', ...dhcp(dir)], dhcpLog, async () =>
        readFileSync(dhcpLog, 'utf8').includes('DHCP, IP range'),
      ),
    )
    const door = await rack.openSite(addresses.siteProvisioning, API_PORT)
    closers.push(() => door.close())
    const endpoint = `http://${door.host}:${door.port}`
    // python-requests puts these before what a driver is told to trust.
    const clean = ['env', '-u', 'REQUESTS_CA_BUNDLE', '-u', 'CURL_CA_BUNDLE']
    const argv = [...inSite, ...clean, 'ironic', '--config-file', conf] as const
    programs.push(await startProgram([...argv], logFile, () => hasDriver(endpoint)))
    return { endpoint, httpRoot, logFile, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** Firmware of BIOS machines in QEMU is iPXE already: it gets the script that Ironic keeps for all of them. */
function dhcp(dir: string): string[] {
  return [
    '--keep-in-foreground',
    '--conf-file=/dev/null',
    '--port=0',
    '--interface=prov0',
    '--bind-interfaces',
    '--dhcp-authoritative',
    '--dhcp-range=10.80.0.100,10.80.0.150,255.255.255.0,1h',
    `--dhcp-leasefile=${join(dir, 'leases')}`,
    `--dhcp-boot=${httpUrl}/boot.ipxe`,
    '--pid-file=',
    '--user=root',
    '--log-facility=-',
  ]
}

async function hasDriver(endpoint: string): Promise<boolean> {
  const reply = await fetch(`${endpoint}/v1/drivers`, { headers: { 'x-openstack-ironic-api-version': '1.31' } })
  const { drivers } = (await reply.json()) as { drivers: { name: string }[] }
  return drivers.some(({ name }) => name === 'redfish')
}
