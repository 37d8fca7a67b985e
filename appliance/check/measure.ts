import { execFile } from 'node:child_process'
import { lstatSync } from 'node:fs'
import { Resolver } from 'node:dns/promises'
import { promisify } from 'node:util'

const execute = promisify(execFile)
const RESOLVER_MS = 2_000
/** Bridges tell of themselves every 2 s: IEEE 802.1D, hello time. */
const BRIDGE_MS = 5_000

/** Whether a host answers ICMP echo; undefined where that can't be asked. */
export async function answersPing(address: string): Promise<boolean | undefined> {
  try {
    await execute('ping', ['-n', '-q', '-c', '2', '-i', '0.3', '-W', '1', address], { timeout: 5_000 })
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? undefined : false
  }
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

/** Whether a bridge's hello is heard on a link; undefined where tcpdump can't listen. */
export async function hearsBridge(name: string): Promise<boolean | undefined> {
  const argv = ['-i', name, '-n', '-q', '-p', '--immediate-mode', '-c', '1', 'ether dst 01:80:c2:00:00:00']
  try {
    const { stdout } = await execute('tcpdump', argv, { timeout: BRIDGE_MS })
    return stdout.trim() !== ''
  } catch (error) {
    return (error as { killed?: boolean }).killed ? false : undefined
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
