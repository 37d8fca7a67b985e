import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ipv6ToText } from '@bloomery/wire/address6.ts'
import type { Log } from '../log.ts'
import type { BootConfig6 } from './config6.ts'

const AGAIN_MS = 5_000
const STOP_MS = 3_000

/**
 * What radvd is told (RFC 4861 §6.2.1): "ask DHCPv6 for your address (M, O), this prefix is on the link, I am no way out of it". The
 * last is a lifetime of 0, so that nobody's traffic turns to the appliance.
 */
export function radvdConfig(links: BootConfig6['links']): string {
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
};
`,
    )
    .join('')
}

/** Debian's radvd as a child, started again if it ends: advertisements need raw ICMPv6, which Node has not. */
export async function startRouterAdvertisements(
  links: BootConfig6['links'],
  log: Log,
): Promise<{ stop(): Promise<void> }> {
  const dir = mkdtempSync(join(tmpdir(), 'bloomery-radvd-'))
  const config = join(dir, 'radvd.conf')
  writeFileSync(config, radvdConfig(links))
  const argv = ['--nodaemon', '--logmethod', 'stderr', '--config', config, '--pidfile', join(dir, 'pid')]
  let child: ChildProcess
  let stopping = false
  let again: NodeJS.Timeout | undefined
  const start = (): void => {
    child = spawn('radvd', argv, { stdio: ['ignore', 'ignore', 'pipe'] })
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
