import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'

/** Network namespaces of a peer test, and the programs in them; `stop` ends what was started here, and nothing else. */
export interface PeerNetwork {
  ip(netns: string, ...commands: string[]): void
  /** Each line of JSON that the program prints goes to `onLine`. */
  run(netns: string, argv: string[], onLine?: (line: Record<string, string>) => void): ChildProcess
  stop(): Promise<void>
}

export function peerNetwork(namespaces: readonly string[]): PeerNetwork {
  const children: ChildProcess[] = []
  for (const netns of namespaces) {
    execFileSync('ip', ['netns', 'add', netns])
    execFileSync('ip', ['-netns', netns, 'link', 'set', 'lo', 'up'])
  }
  return {
    ip(netns, ...commands) {
      for (const command of commands)
        execFileSync('ip', ['-netns', netns, ...command.split(' ')], { stdio: ['ignore', 'ignore', 'pipe'] })
    },
    run(netns, argv, onLine) {
      const child = spawn('ip', ['netns', 'exec', netns, ...argv], { stdio: ['pipe', 'pipe', 'pipe'] })
      children.push(child)
      let rest = ''
      child.stderr?.resume()
      child.stdout?.on('data', (data: Buffer) => {
        const lines = (rest + data.toString()).split('\n')
        rest = lines.pop() ?? ''
        for (const line of lines) if (line.startsWith('{')) onLine?.(JSON.parse(line) as Record<string, string>)
      })
      return child
    },
    async stop() {
      for (const child of children)
        if (child.exitCode === null && child.signalCode === null) {
          const exit = once(child, 'exit')
          child.kill('SIGTERM')
          const late = setTimeout(() => child.kill('SIGKILL'), 5_000)
          await exit
          clearTimeout(late)
        }
      for (const netns of namespaces) execFileSync('ip', ['netns', 'del', netns])
    },
  }
}

/** Two namespaces joined by a cable; each end is called as given. */
export function cable(
  network: PeerNetwork,
  a: { netns: string; name: string },
  b: { netns: string; name: string },
): void {
  network.ip(a.netns, `link add ${a.name} type veth peer name ${b.name} netns ${b.netns}`, `link set ${a.name} up`)
  network.ip(b.netns, `link set ${b.name} up`)
}

/**
 * For scripts of dhclient, at PREINIT6: waits until no address of eth0 is tentative (RFC 4862 5.4), as the script of
 * Debian does. dhclient ends at once when it can't bind to the card's link-local address.
 */
export const ADDRESSES_SETTLED = 'while ip -6 address show dev eth0 tentative | grep -q inet6; do sleep 0.1; done'
