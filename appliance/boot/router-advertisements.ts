import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ipv6ToText } from '@bloomery/wire/address6.ts'
import type { Log } from '../log.ts'
import type { AdvertisedPrefix, TenantPorts } from '../ledger/tenant-ports.ts'
import type { BootConfig6 } from './config6.ts'

const AGAIN_MS = 5_000
const STOP_MS = 3_000

/**
 * What radvd is told (RFC 4861 §6.2.1): "ask DHCPv6 for your address (M, O), this prefix is on the link, I am no way out of it". The
 * last is a lifetime of 0, so that nobody's traffic turns to the appliance.
 */
export function radvdConfig(links: BootConfig6['links'], tenants: readonly AdvertisedPrefix[] = []): string {
  const own = new Set(links.map(({ prefix }) => `${ipv6ToText(prefix)}/64`))
  const others = tenants
    .filter(({ cidr }) => !own.has(cidr))
    .map(
      // Whose addresses are leases must not make others by themselves: RFC 4862 §5.5.3.
      ({ cidr, mode }) =>
        `  prefix ${cidr} { AdvOnLink on; AdvAutonomous ${mode === 'dhcpv6-stateful' ? 'off' : 'on'}; };\n`,
    )
  return links
    .filter((link) => link.interface !== undefined)
    .map(
      (link) => `interface ${link.interface} {
  AdvSendAdvert on;
  AdvManagedFlag on;
  AdvOtherConfigFlag on;
  MinRtrAdvInterval 3;
  MaxRtrAdvInterval 10;
  AdvDefaultLifetime 0;
  prefix ${ipv6ToText(link.prefix)}/64 { AdvOnLink on; AdvAutonomous off; };
${others.join('')}};
`,
    )
    .join('')
}

/** Debian's radvd as a child, started again if it ends: advertisements need raw ICMPv6, which Node has not. */
export async function startRouterAdvertisements(
  links: BootConfig6['links'],
  log: Log,
  tenants?: Pick<TenantPorts, 'advertised' | 'onChange'>,
): Promise<{ stop(): Promise<void> }> {
  const dir = mkdtempSync(join(tmpdir(), 'bloomery-radvd-'))
  const config = join(dir, 'radvd.conf')
  let written = radvdConfig(links, tenants?.advertised())
  writeFileSync(config, written)
  const argv = ['--nodaemon', '--logmethod', 'stderr', '--config', config, '--pidfile', join(dir, 'pid')]
  let child: ChildProcess
  let stopping = false
  let again: NodeJS.Timeout | undefined
  const start = (): void => {
    // An appliance that was killed takes it along: two that tell of different prefixes would confuse every machine.
    child = spawn('setpriv', ['--pdeathsig', 'KILL', 'radvd', ...argv], { stdio: ['ignore', 'ignore', 'pipe'] })
    let said = ''
    child.stderr?.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-500)))
    child.on('error', (error) => ended(error.message))
    child.on('exit', (code, signal) => ended(`it ended with ${code ?? signal}: ${said.trim()}`))
  }
  const ended = (why: string): void => {
    if (stopping || again !== undefined) return
    log.error({ why }, "router advertisements stopped; machines may not find DHCPv6 (is Debian's radvd installed?)")
    again = setTimeout(() => {
      again = undefined
      start()
    }, AGAIN_MS)
  }
  start()
  tenants?.onChange(() => {
    const now = radvdConfig(links, tenants.advertised())
    if (stopping || now === written) return
    written = now
    writeFileSync(config, written)
    child.kill('SIGHUP') // it reads its configuration again: radvd(8)
  })
  return {
    async stop() {
      stopping = true
      clearTimeout(again)
      if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
        const exit = once(child, 'exit')
        child.kill('SIGTERM')
        const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
        await exit
        clearTimeout(late)
      }
      rmSync(dir, { recursive: true, force: true })
    },
  }
}
