import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { vi } from 'vitest'
import { cable, type PeerNetwork } from '@bloomery/dhcp/peer-network.ts'
import { freePort } from '@bloomery/wire/free-port.ts'
import type { SwitchConfig } from './config.ts'

const PATIENCE = { timeout: 60_000, interval: 100 }

/** Debian's Open vSwitch as the switch of a rack, its datapath a program in a namespace; reached by Debian's sshd. */
export interface PeerSwitch {
  config: SwitchConfig
  /** Its private key for its user. */
  keyFile(name: string): string
  vsctl(...argv: string[]): string
  tag(port: string): string
  /** Each command that came by SSH. */
  commands(): string[]
  stop(): void
}

/** With bridge `br0`, on which each machine's namespace has its `eth0`: in VLAN 10. */
export async function startPeerSwitch(
  network: PeerNetwork,
  netns: string,
  machines: Readonly<Record<string, string>>,
): Promise<PeerSwitch> {
  const dir = mkdtempSync(join(tmpdir(), 'ovs-'))
  const file = (name: string): string => join(dir, name)
  const vsctl = (...argv: string[]): string =>
    execFileSync('ip', ['netns', 'exec', netns, 'ovs-vsctl', '--timeout=90', `--db=unix:${file('db.sock')}`, ...argv], {
      encoding: 'utf8',
      stdio: 'pipe',
    })
  for (const [port, machine] of Object.entries(machines))
    cable(network, { netns, name: port }, { netns: machine, name: 'eth0' })
  startDaemons(network, netns, dir)
  await network.until('socket of the database', () => existsSync(file('db.sock')))
  vsctl('add-br', 'br0', '--', 'set', 'bridge', 'br0', 'datapath_type=netdev')
  for (const port of Object.keys(machines)) vsctl('add-port', 'br0', port, 'tag=10')
  const { config, sshd } = await startDoor(dir)
  return {
    config,
    keyFile: file,
    vsctl,
    tag: (port) => vsctl('get', 'port', port, 'tag').trim(),
    commands: () => readFileSync(file('commands'), 'utf8').split('\n').slice(0, -1),
    stop() {
      sshd.kill('SIGTERM')
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

function startDaemons(network: PeerNetwork, netns: string, dir: string): void {
  const file = (name: string): string => join(dir, name)
  execFileSync('ovsdb-tool', ['create', file('db'), '/usr/share/openvswitch/vswitch.ovsschema'])
  const own = (name: string): string[] => [`--unixctl=${file(`${name}.ctl`)}`, '-vconsole:err']
  network.run(netns, ['ovsdb-server', file('db'), `--remote=punix:${file('db.sock')}`, ...own('db')])
  // Its other sockets, and those of its bridges, are found by this.
  const run = ['env', `OVS_RUNDIR=${dir}`]
  network.run(netns, [...run, 'ovs-vswitchd', '--disable-system', `unix:${file('db.sock')}`, ...own('vswitchd')])
}

async function startDoor(dir: string): Promise<{ config: SwitchConfig; sshd: ChildProcess }> {
  const file = (name: string): string => join(dir, name)
  const port = await freePort()
  for (const key of ['host', 'user']) execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file(key)])
  mkdirSync('/run/sshd', { recursive: true })
  writeFileSync(file('commands'), '')
  // The switch's own command, which finds its database by itself.
  const command = `echo "$*" >>${file('commands')}\nexec /usr/bin/ovs-vsctl --db=unix:${file('db.sock')} "$@"`
  writeFileSync(file('ovs-vsctl'), `#!/bin/sh\n${command}\n`)
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
  const sshd = spawn('/usr/sbin/sshd', ['-D', '-e', '-f', file('sshd_config')], { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  sshd.stderr?.on('data', (data: Buffer) => (said += data.toString()))
  await vi.waitUntil(() => {
    if (sshd.exitCode !== null) throw new Error(`sshd ended with ${sshd.exitCode}: ${said}`)
    return said.includes('Server listening')
  }, PATIENCE)
  const [, fingerprint = ''] = execFileSync('ssh-keygen', ['-lf', file('host.pub')], { encoding: 'utf8' }).split(' ')
  const login = { address: '127.0.0.1', port, username: 'root', key: file('user'), fingerprint }
  return { sshd, config: { name: 'tor-1', id: '52:54:00:99:00:01', driver: 'open-vswitch', ...login } }
}
