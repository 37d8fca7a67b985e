import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

const PATIENCE_MS = 60_000
const KEPT_WORDS = 2_000

type Falsy = false | 0 | '' | null | undefined

/** Network namespaces of a peer test, and the programs in them; `stop` ends what was started here, and nothing else. */
export interface PeerNetwork {
  ip(netns: string, ...commands: string[]): void
  /** Each line of JSON that the program prints goes to `onLine`. */
  run(netns: string, argv: string[], onLine?: (line: Record<string, string>) => void): ChildProcess
  /** Waits for what programs bring about. One that fails before is an error at once, with what it said last. */
  until<T>(what: string, found: () => T | Promise<T>): Promise<Exclude<T, Falsy>>
  /** Until a program has bound a UDP or TCP port there: what is sent before is lost, or refused. */
  listens(netns: string, protocol: 'udp' | 'tcp', port: number): Promise<void>
  /** From now on the program may end as it likes. */
  letGo(child: ChildProcess): void
  stop(): Promise<void>
}

interface Peer {
  child: ChildProcess
  name: string
  said: string
  /** Why it is not running as it should. */
  fell?: string
  isLetGo: boolean
}

export function peerNetwork(namespaces: readonly string[]): PeerNetwork {
  const peers: Peer[] = []
  for (const netns of namespaces) {
    // Its name has our number: who left one behind had the same, and is gone.
    if (existsSync(`/run/netns/${netns}`)) removeNetns(netns)
    execFileSync('ip', ['netns', 'add', netns])
    execFileSync('ip', ['-netns', netns, 'link', 'set', 'lo', 'up'])
  }
  const network: PeerNetwork = {
    ip(netns, ...commands) {
      for (const command of commands)
        execFileSync('ip', ['-netns', netns, ...command.split(' ')], { stdio: ['ignore', 'ignore', 'pipe'] })
    },
    run(netns, argv, onLine) {
      const child = spawn('ip', ['netns', 'exec', netns, ...argv], { stdio: ['pipe', 'pipe', 'pipe'] })
      const peer: Peer = { child, name: `${argv.join(' ').slice(0, 200)} in ${netns}`, said: '', isLetGo: false }
      peers.push(peer)
      child.on('error', (error) => (peer.fell = error.message))
      child.on('exit', (code, signal) => {
        if (code !== 0) peer.fell = `ended with ${code ?? signal}`
      })
      child.stdin.on('error', () => {}) // that it has ended is told by `until`
      const hear = (data: Buffer): void => void (peer.said = (peer.said + data.toString()).slice(-KEPT_WORDS))
      child.stderr.on('data', hear)
      let rest = ''
      child.stdout.on('data', (data: Buffer) => {
        if (!onLine) hear(data)
        const lines = (rest + data.toString()).split('\n')
        rest = lines.pop() ?? ''
        for (const line of lines) if (line.startsWith('{')) onLine?.(JSON.parse(line) as Record<string, string>)
      })
      return child
    },
    async until<T>(what: string, found: () => T | Promise<T>) {
      const deadline = performance.now() + PATIENCE_MS
      for (;;) {
        const value = await found()
        if (value) return value as Exclude<T, Falsy>
        const fallen = peers.find(({ fell, isLetGo, child }) => fell !== undefined && !isLetGo && !child.killed)
        if (fallen) throw new Error(`${fallen.name} ${fallen.fell} before ${what}: ${fallen.said.trim()}`)
        if (performance.now() > deadline)
          throw new Error(
            `no ${what} within ${PATIENCE_MS / 1000} s; ${peers.map(({ name, said }) => `${name}: ${said.trim().slice(-500)}`).join('\n')}`,
          )
        await sleep(50)
      }
    },
    async listens(netns, protocol, port) {
      const bound = new RegExp(`^ *\\d+: [0-9A-F]+:${port.toString(16).toUpperCase().padStart(4, '0')} `, 'm')
      const tables = [protocol, `${protocol}6`].map((table) => `/proc/net/${table}`)
      const argv = ['netns', 'exec', netns, 'cat', ...tables]
      await network.until(`${protocol} port ${port}`, () => bound.test(execFileSync('ip', argv, { encoding: 'utf8' })))
    },
    letGo(child) {
      for (const peer of peers) if (peer.child === child) peer.isLetGo = true
    },
    async stop() {
      for (const { child } of peers)
        if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
          const exit = once(child, 'exit')
          child.kill('SIGTERM')
          const late = setTimeout(() => child.kill('SIGKILL'), 5_000)
          await exit
          clearTimeout(late)
        }
      for (const netns of namespaces) removeNetns(netns)
    },
  }
  return network
}

/** With what still runs in it: children of programs that had to be killed. */
function removeNetns(netns: string): void {
  for (const pid of execFileSync('ip', ['netns', 'pids', netns], { encoding: 'utf8' }).split('\n').filter(Boolean)) {
    try {
      process.kill(Number(pid), 'SIGKILL')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
    }
  }
  execFileSync('ip', ['netns', 'del', netns])
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
