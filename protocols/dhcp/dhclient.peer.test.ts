import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'

const PREFIX = `blm-dhcp-${process.pid}`
const [SERVER, CLIENT, WATCHER] = [`${PREFIX}-s`, `${PREFIX}-c`, `${PREFIX}-w`]
const children: ChildProcess[] = []
let files: string
let decisions: Record<string, string>[]
let watched: { options: Record<string, unknown> }[]

const ip = (netns: string, command: string): Buffer => execFileSync('ip', ['-netns', netns, ...command.split(' ')])

/** A program in a namespace; each line of JSON that it prints goes to `onLine`. */
function run(netns: string, argv: string[], onLine: (line: never) => void = () => {}): ChildProcess {
  const child = spawn('ip', ['netns', 'exec', netns, ...argv], { stdio: ['ignore', 'pipe', 'pipe'] })
  children.push(child)
  let rest = ''
  child.stdout?.on('data', (data: Buffer) => {
    const lines = (rest + data.toString()).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) if (line.startsWith('{')) onLine(JSON.parse(line) as never)
  })
  return child
}

/** One bridge in the server's namespace; client and watcher hang on it. The route is the one that broadcasts leave by. */
beforeAll(async () => {
  files = mkdtempSync(join(tmpdir(), 'dhclient-'))
  for (const netns of [SERVER, CLIENT, WATCHER]) execFileSync('ip', ['netns', 'add', netns])
  ip(SERVER, 'link add br0 type bridge')
  for (const [name, netns] of [
    ['c0', CLIENT],
    ['w0', WATCHER],
  ] as const) {
    ip(SERVER, `link add ${name} type veth peer name eth0 netns ${netns}`)
    ip(SERVER, `link set ${name} master br0 up`)
    ip(netns, 'link set eth0 up')
  }
  ip(SERVER, 'address add 10.93.0.1/24 dev br0')
  ip(SERVER, 'link set br0 up')
  ip(SERVER, 'route add 255.255.255.255 dev br0')
  ip(WATCHER, 'address add 10.93.0.2/24 dev eth0')

  decisions = []
  watched = []
  let listening = 0
  const program = new URL('peer-server.ts', import.meta.url).pathname
  const range = { first: '10.93.0.100', last: '10.93.0.199' }
  const config = { subnets: [{ network: '10.93.0.0', serverAddress: '10.93.0.1', leaseSeconds: 8, ...range }] }
  run(SERVER, [process.execPath, program, JSON.stringify(config)], (line: Record<string, string>) => {
    if ('listening' in line) listening += 1
    else decisions.push(line)
  })
  const watch = `const d = require('dhcp').createBroadcastHandler()
    const print = (line) => process.stdout.write(JSON.stringify(line) + '\\n')
    d.on('message', print)
    d.on('error', () => {})
    d.listen(67, undefined, () => print({ listening: 67 }))`
  run(WATCHER, [process.execPath, '-e', watch], (line: { options: Record<string, unknown> }) => {
    if ('listening' in line) listening += 1
    else watched.push(line)
  })
  await vi.waitFor(() => expect(listening).toBe(2), { timeout: 20_000 })
})

afterAll(async () => {
  for (const child of children)
    if (child.exitCode === null && child.signalCode === null) {
      const exit = once(child, 'exit')
      child.kill('SIGTERM')
      await exit
    }
  for (const netns of [SERVER, CLIENT, WATCHER]) execFileSync('ip', ['netns', 'del', netns])
  rmSync(files, { recursive: true })
})

function seen(): string[] {
  return decisions.map(({ request, reply }) => `${request} ${reply}`)
}

test('dhclient gets a lease, renews it, and gives it back; the npm watcher sees the same requests', async () => {
  // Instead of Debian's script, which would rewrite the host's resolv.conf.
  const script = join(files, 'script')
  writeFileSync(
    script,
    `#!/bin/sh
case "$reason" in
  BOUND|REBOOT) ip address add "$new_ip_address/24" dev "$interface" ;;
  EXPIRE|FAIL|RELEASE|STOP) ip address flush dev "$interface" ;;
esac
echo "$reason $new_ip_address $new_host_name" >>'${files}/reasons'
`,
  )
  chmodSync(script, 0o755)
  const options = ['-4', '-sf', script, '-lf', join(files, 'leases'), '-pf', join(files, 'pid'), '-cf', '/dev/null']
  const client = run(CLIENT, ['dhclient', '-d', ...options, 'eth0'])
  const reasons = (): string[] => {
    try {
      return readFileSync(join(files, 'reasons'), 'utf8').trim().split('\n')
    } catch {
      return []
    }
  }
  await expect
    .poll(() => reasons().find((reason) => reason.startsWith('BOUND')), { timeout: 20_000 })
    .toMatch(/^BOUND 10\.93\.0\.100 peer-1$/)
  expect(seen()).toEqual(expect.arrayContaining(['discover offer', 'request ack']))
  await expect
    .poll(() => reasons().some((reason) => reason.startsWith('RENEW 10.93.0.100')), { timeout: 20_000 })
    .toBe(true)
  execFileSync('ip', ['netns', 'exec', CLIENT, 'dhclient', '-r', ...options, 'eth0'], { stdio: 'pipe' })
  await expect.poll(() => seen().at(-1)).toBe('release none')
  await expect.poll(() => client.exitCode ?? client.signalCode).not.toBeNull()
  expect(decisions.filter(({ error }) => error !== undefined)).toEqual([])

  const types = watched.map(({ options }) => options['53'])
  expect(types.slice(0, 2)).toEqual([1, 3])
}, 60_000)
