import { execFile } from 'node:child_process'
import { lstatSync } from 'node:fs'
import { Resolver } from 'node:dns/promises'
import { promisify } from 'node:util'

const execute = promisify(execFile)
const RESOLVER_MS = 2_000
/** Bridges tell of themselves every 2 s: IEEE 802.1D, hello time. */
const BRIDGE_MS = 5_000
/** IEEE 802.1D-2004, table 17-1. */
const USUAL_DELAY_S = 15
const IP_AND_ICMP = 28

/** Whether a host answers ICMP echo; undefined where that can't be asked. */
export async function answersPing(address: string): Promise<boolean | undefined> {
  try {
    await execute('ping', ['-n', '-q', '-c', '2', '-i', '0.3', '-W', '1', address], { timeout: 5_000 })
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? undefined : false
  }
}

/** Whether whole Ethernet frames come through to a host that answers small ones: ICMP echo of 1,500 bytes that nobody may cut up. */
export async function takesWholeFrames(address: string): Promise<boolean> {
  const argv = ['-n', '-q', '-c', '2', '-i', '0.3', '-W', '1', '-M', 'do', '-s', String(1_500 - IP_AND_ICMP), address]
  return execute('ping', argv, { timeout: 5_000 }).then(
    () => true,
    () => false,
  )
}

export async function offloadFeatures(name: string): Promise<string | undefined> {
  return execute('ethtool', ['-k', name], { timeout: 5_000 }).then(
    ({ stdout }) => stdout,
    () => undefined,
  )
}

/** No device behind it, or one that an hypervisor made. */
export function isVirtual(name: string): boolean {
  try {
    lstatSync(`/sys/class/net/${name}/device`)
    return false
  } catch {
    return true
  }
}

/** Spanning tree as its hello tells it: how long a port listens, and as long again learns, before it forwards. */
export interface Bridge {
  forwardDelay: number
}

/** The bridge whose hello is heard on a link, or none; undefined where tcpdump can't listen. */
export async function bridgeOn(name: string): Promise<Bridge | 'none' | undefined> {
  const argv = ['-i', name, '-n', '-v', '-p', '--immediate-mode', '-c', '1', 'ether dst 01:80:c2:00:00:00']
  try {
    const { stdout } = await execute('tcpdump', argv, { timeout: BRIDGE_MS })
    return bridgeSaid(stdout)
  } catch (error) {
    return (error as { killed?: boolean }).killed ? 'none' : undefined
  }
}

/** As tcpdump prints a BPDU: `…, forwarding-delay 15.00s`. */
export function bridgeSaid(printed: string): Bridge | 'none' {
  if (printed.trim() === '') return 'none'
  return { forwardDelay: Number(/forwarding-delay (\d{1,3}(?:\.\d+)?)s/.exec(printed)?.[1] ?? USUAL_DELAY_S) }
}

/** Machines that were heard late since the appliance here was started, of its metrics; undefined where it has none, or doesn't run. */
export async function lateStartsCounted(metricsPort: number | undefined): Promise<number | undefined> {
  if (metricsPort === undefined) return undefined
  try {
    const reply = await fetch(`http://127.0.0.1:${metricsPort}/metrics`, { signal: AbortSignal.timeout(RESOLVER_MS) })
    const text = await reply.text()
    return Number(/^bloomery_dhcp_late_starts_total (\d+)$/m.exec(text)?.[1] ?? 0)
  } catch {
    return undefined
  }
}

/** What a name server says of the root: it exists for everybody. Any answer will do, a refusal too. */
export async function resolverProblem(server: string): Promise<string | undefined> {
  const resolver = new Resolver({ timeout: RESOLVER_MS, tries: 1 })
  resolver.setServers([server])
  try {
    await resolver.resolveNs('.')
    return undefined
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException
    return ['ETIMEOUT', 'ECONNREFUSED', 'ECANCELLED'].includes(code) ? code : undefined
  }
}
