import { spawnSync } from 'node:child_process'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { cable, peerNetwork, type PeerNetwork } from '@bloomery/dhcp/peer-network.ts'
import { plug } from '../plans/steps/network.ts'
import type { StepContext } from '../plans/step.ts'
import type { SwitchConfig } from './config.ts'
import { openVswitch } from './open-vswitch.ts'
import { type PeerSwitch, startPeerSwitch } from './peer-switch.ts'
import { openSwitches, type Switches } from './switch.ts'

/** The driver on Debian's Open vSwitch. */

const named = (who: string): string => `blm-sw-${process.pid}-${who}`
const [SWITCH, ONE, TWO, TAGGED] = [named('s'), named('a'), named('b'), named('t')]
/** Open vSwitch says that a change is in force only when all its threads have seen it. */
const SLOW = 300_000
const PATIENCE = { timeout: 45_000, interval: 100 }
const identity = { uuid: 'a', sealingKey: '' }
let network: PeerNetwork
let tor: PeerSwitch
let switches: Switches

beforeAll(async () => {
  network = peerNetwork([SWITCH, ONE, TWO, TAGGED])
  tor = await startPeerSwitch(network, SWITCH, { swp1: ONE, swp2: TWO })
  // A machine whose card carries VLANs: a bridge of its own takes the tags off, as a kernel may lack 802.1Q.
  cable(network, { netns: SWITCH, name: 'swp3' }, { netns: SWITCH, name: 'card' })
  cable(network, { netns: SWITCH, name: 'vlan42' }, { netns: TAGGED, name: 'eth0' })
  for (const [at, machine] of [ONE, TWO, TAGGED].entries())
    network.ip(machine, `address add 10.97.0.${at + 1}/24 dev eth0`)
  tor.vsctl('add-port', 'br0', 'swp3', 'tag=10')
  tor.vsctl('add-br', 'machine', '--', 'set', 'bridge', 'machine', 'datapath_type=netdev')
  tor.vsctl('add-port', 'machine', 'card', '--', 'add-port', 'machine', 'vlan42', 'tag=42')
  switches = openSwitches([tor.config], openVswitch, identity)
})
afterAll(async () => {
  tor?.stop()
  await network?.stop()
})

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
const passes = (from: string): boolean =>
  spawnSync('ip', ['netns', 'exec', from, 'ping', '-c', '1', '-W', '2', '10.97.0.2'], { stdio: 'ignore' }).status === 0
const tag = (port: string): string => tor.tag(port)

test(
  "a trunk's card carries its VLANs with tags beside its own, and those no more when it is an access port again",
  async () => {
    await run([{ switch: '52:54:00:99:00:01', port: 'swp2', vlan: 42 }])
    await run([{ switch: 'tor-1', port: 'swp3', vlan: 7, tagged: [42, 50] }])
    await expect.poll(() => passes(TAGGED), PATIENCE).toBe(true)
    const columns = ['vlan_mode', 'tag', 'trunks'].map((name) => tor.vsctl('get', 'port', 'swp3', name).trim())
    expect(columns).toEqual(['native-untagged', '7', '[42, 50]'])
    await run([{ switch: 'tor-1', port: 'swp3', vlan: 7, tagged: [50, 42] }]) // as after a crash
    await run(to(7, 'swp3'))
    // Flows of the datapath are looked over a moment after the change is in force.
    await expect.poll(() => passes(TAGGED), PATIENCE).toBe(false)
  },
  SLOW,
)

test(
  'where one port can not be moved, those before it go back to where they were, also after a crash in between',
  async () => {
    tor.vsctl(
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
  const other = (more: Partial<SwitchConfig>): Switches =>
    openSwitches([{ ...tor.config, ...more }], openVswitch, identity)
  const wrong = `SHA256:${'A'.repeat(43)}`
  await expect(run(to(20, 'swp1'), new Map(), other({ fingerprint: wrong }))).rejects.toThrow(
    /tor-1.*correct its fingerprint/s,
  )
  await expect(run(to(20, 'swp1'), new Map(), other({ key: tor.keyFile('host') }))).rejects.toThrow(/authorized keys/)
  await expect(run(to(20, 'swp1; reboot'))).rejects.toThrow(/no name of a port; correct local_link_connection/)
  await expect(run([{ switch: 'tor-9', port: 'swp1', vlan: 1 }])).rejects.toThrow(/knows no switch tor-9: it has tor-1/)
  expect(tag('swp1')).toBe('10')
})
