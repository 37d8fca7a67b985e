import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { cable, peerNetwork, type PeerNetwork } from '@bloomery/dhcp/peer-network.ts'
import { plug } from '../plans/steps/network.ts'
import type { StepContext } from '../plans/step.ts'
import type { SwitchConfig } from './config.ts'
import { openVswitch } from './open-vswitch.ts'
import { openSwitches, type Switches } from './switch.ts'

/** Debian's Open vSwitch as the switch of a rack, its datapath a program in a namespace; reached by Debian's sshd. */

const named = (who: string): string => `blm-sw-${process.pid}-${who}`
const [SWITCH, ONE, TWO, TAGGED] = [named('s'), named('a'), named('b'), named('t')]
/** Open vSwitch says that a change is in force only when all its threads have seen it. */
const SLOW = 300_000
const PATIENCE = { timeout: 45_000, interval: 100 }
const identity = { uuid: 'a', sealingKey: '' }
let network: PeerNetwork
let dir: string
let config: SwitchConfig
let switches: Switches
let sshd: ChildProcess | undefined

const inSwitch = (...argv: string[]): string =>
  execFileSync('ip', ['netns', 'exec', SWITCH, ...argv], { encoding: 'utf8', stdio: 'pipe' })
const file = (name: string): string => join(dir, name)
const vsctl = (...argv: string[]): string =>
  inSwitch('ovs-vsctl', '--timeout=90', `--db=unix:${file('db.sock')}`, ...argv)

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'ovs-'))
  network = peerNetwork([SWITCH, ONE, TWO, TAGGED])
  cable(network, { netns: SWITCH, name: 'swp1' }, { netns: ONE, name: 'eth0' })
  cable(network, { netns: SWITCH, name: 'swp2' }, { netns: TWO, name: 'eth0' })
  // The port that is the VLANs' to choose; the other end of the cable stays what it is.
  // A machine whose card carries VLANs: a bridge of its own takes the tags off, as a kernel may lack 802.1Q.
  cable(network, { netns: SWITCH, name: 'swp3' }, { netns: SWITCH, name: 'card' })
  cable(network, { netns: SWITCH, name: 'vlan42' }, { netns: TAGGED, name: 'eth0' })
  network.ip(TAGGED, 'address add 10.97.0.3/24 dev eth0')
  network.ip(ONE, 'address add 10.97.0.1/24 dev eth0')
  network.ip(TWO, 'address add 10.97.0.2/24 dev eth0')
  startSwitch()
  await vi.waitFor(() => vsctl('add-br', 'br0', '--', 'set', 'bridge', 'br0', 'datapath_type=netdev'), PATIENCE)
  for (const port of ['swp1', 'swp2']) vsctl('add-port', 'br0', port, 'tag=10')
  vsctl('add-port', 'br0', 'swp3', 'tag=10')
  vsctl('add-br', 'machine', '--', 'set', 'bridge', 'machine', 'datapath_type=netdev')
  vsctl('add-port', 'machine', 'card', '--', 'add-port', 'machine', 'vlan42', 'tag=42')
  config = await startDoor()
  switches = openSwitches([config], openVswitch, identity)
}, 120_000)
afterAll(async () => {
  sshd?.kill('SIGTERM')
  await network?.stop()
  rmSync(dir, { recursive: true, force: true })
})

function startSwitch(): void {
  execFileSync('ovsdb-tool', ['create', file('db'), '/usr/share/openvswitch/vswitch.ovsschema'])
  const own = (name: string): string[] => [`--unixctl=${file(`${name}.ctl`)}`, '-vconsole:err']
  network.run(SWITCH, ['ovsdb-server', file('db'), `--remote=punix:${file('db.sock')}`, ...own('db')])
  // Its other sockets, and those of its bridges, are found by this.
  const run = ['env', `OVS_RUNDIR=${dir}`]
  network.run(SWITCH, [...run, 'ovs-vswitchd', '--disable-system', `unix:${file('db.sock')}`, ...own('vswitchd')])
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}

async function startDoor(): Promise<SwitchConfig> {
  const port = await freePort()
  for (const key of ['host', 'user']) execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file(key)])
  mkdirSync('/run/sshd', { recursive: true })
  // The switch's own command, which finds its database by itself.
  writeFileSync(file('ovs-vsctl'), `#!/bin/sh\nexec /usr/bin/ovs-vsctl --db=unix:${file('db.sock')} "$@"\n`)
  chmodSync(file('ovs-vsctl'), 0o755)
  writeFileSync(
    file('sshd_config'),
    [
      `ListenAddress 127.0.0.1:${port}`,
      `HostKey ${file('host')}`,
      'PidFile none',
      'UsePAM no',
      'StrictModes no',
      'PasswordAuthentication no',
      'PermitRootLogin prohibit-password',
      `AuthorizedKeysFile ${file('user.pub')}`,
      `SetEnv PATH=${dir}:/usr/bin:/bin`,
      '',
    ].join('\n'),
  )
  sshd = spawn('/usr/sbin/sshd', ['-D', '-e', '-f', file('sshd_config')], { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  sshd.stderr?.on('data', (data: Buffer) => (said += data.toString()))
  await vi.waitFor(() => expect(said).toContain('Server listening'), PATIENCE)
  const [, fingerprint = ''] = execFileSync('ssh-keygen', ['-lf', file('host.pub')], { encoding: 'utf8' }).split(' ')
  const login = { address: '127.0.0.1', port, username: 'root', key: file('user'), fingerprint }
  return { name: 'tor-1', id: '52:54:00:99:00:01', driver: 'open-vswitch', ...login }
}

/** The step, as a plan's executor calls it. */
function run(
  connections: Parameters<typeof plug>[0]['connections'],
  memo = new Map<string, string>(),
  with_ = switches,
) {
  const on = {
    plan: {},
    switches: with_,
    signal: AbortSignal.timeout(SLOW),
    note: () => {},
    memo: { get: (key: string) => memo.get(key), set: (key: string, value: string) => void memo.set(key, value) },
  } as unknown as StepContext
  return plug({ connections }, on)
}
const to = (vlan: number, ...ports: string[]) => ports.map((port) => ({ switch: 'tor-1', port, vlan }))
const passes = (from = ONE): boolean =>
  spawnSync('ip', ['netns', 'exec', from, 'ping', '-c', '1', '-W', '2', '10.97.0.2'], { stdio: 'ignore' }).status === 0
const tag = (port: string): string => vsctl('get', 'port', port, 'tag').trim()

test(
  'frames pass between machines of a VLAN, and not when one was moved to another, until the other one is there too',
  async () => {
    await expect.poll(() => passes(), PATIENCE).toBe(true)
    await run(to(42, 'swp1'))
    expect(passes()).toBe(false)
    await run([{ switch: '52:54:00:99:00:01', port: 'swp2', vlan: 42 }])
    await expect.poll(() => passes(), PATIENCE).toBe(true)
    await run(to(42, 'swp1', 'swp2')) // as after a crash
    expect([tag('swp1'), tag('swp2'), vsctl('get', 'port', 'swp1', 'vlan_mode').trim()]).toEqual(['42', '42', 'access'])
  },
  SLOW,
)

test(
  "a trunk's card carries its VLANs with tags beside its own, and those no more when it is an access port again",
  async () => {
    await run(to(42, 'swp2'))
    await run([{ switch: 'tor-1', port: 'swp3', vlan: 7, tagged: [42, 50] }])
    await expect.poll(() => passes(TAGGED), PATIENCE).toBe(true)
    const columns = ['vlan_mode', 'tag', 'trunks'].map((name) => vsctl('get', 'port', 'swp3', name).trim())
    expect(columns).toEqual(['native-untagged', '7', '[42, 50]'])
    await run([{ switch: 'tor-1', port: 'swp3', vlan: 7, tagged: [50, 42] }]) // as after a crash
    await run(to(7, 'swp3'))
    expect(passes(TAGGED)).toBe(false)
  },
  SLOW,
)

test(
  'where one port can not be moved, those before it go back to where they were, also after a crash in between',
  async () => {
    vsctl(
      'set',
      'port',
      'swp1',
      'tag=10',
      '--',
      'clear',
      'port',
      'swp2',
      'tag',
      '--',
      'clear',
      'port',
      'swp2',
      'vlan_mode',
    )
    const memo = new Map<string, string>()
    await run(to(20, 'swp1', 'swp2'), memo)
    await expect(run(to(20, 'swp1', 'swp2', 'nosuch'), memo)).rejects.toThrow(
      /^VLAN 20 for port nosuch of switch tor-1: .*no row "nosuch".*where they were/s,
    )
    expect([tag('swp1'), tag('swp2')]).toEqual(['10', '[]'])
  },
  SLOW,
)

test('a switch that is not itself, a user whom it does not know and a port that is no name are told with what to do', async () => {
  const other = (more: Partial<SwitchConfig>): Switches => openSwitches([{ ...config, ...more }], openVswitch, identity)
  const wrong = `SHA256:${'A'.repeat(43)}`
  await expect(run(to(20, 'swp1'), new Map(), other({ fingerprint: wrong }))).rejects.toThrow(
    /tor-1.*correct its fingerprint/s,
  )
  await expect(run(to(20, 'swp1'), new Map(), other({ key: file('host') }))).rejects.toThrow(/authorized keys/)
  await expect(run(to(20, 'swp1; reboot'))).rejects.toThrow(/no name of a port; correct local_link_connection/)
  await expect(run([{ switch: 'tor-9', port: 'swp1', vlan: 1 }])).rejects.toThrow(/knows no switch tor-9: it has tor-1/)
  expect(tag('swp1')).toBe('10')
})
