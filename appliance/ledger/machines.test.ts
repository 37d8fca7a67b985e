import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { machine, port } from '../testing/plans.ts'
import { temporaryFolder } from '../testing/temporary-folder.ts'
import { openLedger, type Ledger } from './ledger.ts'
import { openMachines, type Machines } from './machines.ts'

const mac = '52:54:00:00:00:01'
const other = '52:54:00:00:00:02'
let ledger: Ledger
let machines: Machines
beforeEach(() => {
  ledger = openLedger(':memory:')
  let tokens = 0
  machines = openMachines(ledger, () => `token-${(tokens += 1)}`)
})
afterEach(() => ledger.close())

it('boots nothing on a machine that it only knows of', () => {
  const of = machine()
  machines.learn(of, 1)
  expect(machines.byMac(mac)).toMatchObject({ node: of.node, mode: 'off', macs: [mac], arch: 'x86_64' })
})

it('gives one token to a boot, and the same one however often it is asked', () => {
  const of = machine()
  machines.learn(of, 1)
  machines.setBoot(of.node, 1, { mode: 'ramdisk', ramdisk: { cmdline: 'quiet' } })
  const boot = machines.byMac(mac)!
  const token = machines.bootToken(boot, mac)
  expect(machines.bootToken(boot, mac)).toBe(token)
  expect(machines.byBootToken(token)).toEqual({ machine: boot, mac })
})

it("has a plan's addresses while a ramdisk runs, and no longer", () => {
  const of = { ...machine(), addresses: { [mac]: '10.20.0.17' } }
  machines.learn(of, 1)
  const given = ['ramdisk', 'disk'].map((mode) => {
    machines.setBoot(of.node, 1, { mode: mode as 'ramdisk' | 'disk' })
    return machines.byMac(mac)?.addresses
  })
  expect(given).toEqual([of.addresses, undefined])
})

it('ends all tokens of a boot when the machine goes on', () => {
  const of = machine()
  machines.learn(of, 1)
  machines.setBoot(of.node, 1, { mode: 'ramdisk' })
  const token = machines.bootToken(machines.byMac(mac)!, mac)
  machines.setBoot(of.node, 1, { mode: 'disk' })
  expect(machines.byBootToken(token)).toBeUndefined()
  expect(machines.bySpentToken(token)).toEqual({ node: of.node, mac })
  expect(machines.bySpentToken('made up')).toBeUndefined()
})

it('ends the tokens of a MAC that moved to another node', () => {
  const [old, fresh] = [machine(), machine()]
  machines.learn(old, 1)
  machines.setBoot(old.node, 1, { mode: 'ramdisk' })
  const token = machines.bootToken(machines.byMac(mac)!, mac)
  machines.learn(fresh, 1)
  expect(machines.byMac(mac)?.node).toBe(fresh.node)
  expect(machines.byBootToken(token)).toBeUndefined()
})

it('lets go of a MAC that a node no longer has', () => {
  const of = machine()
  machines.learn(of, 1)
  machines.learn({ ...of, ports: [port(other)] }, 2)
  expect(machines.byMac(mac)).toBeUndefined()
  expect(machines.byMac(other)?.node).toBe(of.node)
})

it('does not take a MAC back from its new node by forgetting the old one', () => {
  const [old, fresh] = [machine(), machine()]
  machines.learn(old, 1)
  machines.learn(fresh, 1)
  machines.forget(old.node)
  expect(machines.byMac(mac)?.node).toBe(fresh.node)
})

it('goes by ports that may boot, and by no older facts', () => {
  const of = machine({ ports: [port(mac, false), port(other)] })
  machines.learn(of, 2)
  machines.learn({ ...of, name: 'older', ports: [port(mac)] }, 1)
  expect(machines.byMac(mac)).toBeUndefined()
  expect(machines.byAnyMac([mac, other])).toMatchObject({ node: of.node, name: 'node-1' })
})

it('keeps what a machine boots and its power state when newer facts come', () => {
  const of = machine()
  machines.learn(of, 1)
  machines.setBoot(of.node, 1, { mode: 'disk', hostname: 'web-1' })
  machines.setPower(of.node, 'power on')
  machines.learn({ ...of, name: 'renamed' }, 2)
  expect(machines.get(of.node)).toMatchObject({ generation: 2, powerState: 'power on', machine: { name: 'renamed' } })
  expect(machines.boot(of.node)).toMatchObject({ mode: 'disk', hostname: 'web-1', generation: 1 })
})

it('leaves nothing of a forgotten node', () => {
  const of = machine()
  machines.learn(of, 1)
  machines.setBoot(of.node, 1, { mode: 'ramdisk' })
  const token = machines.bootToken(machines.byMac(mac)!, mac)
  machines.forget(of.node)
  expect([machines.nodes(), machines.byMac(mac), machines.byBootToken(token)]).toEqual([[], undefined, undefined])
})

it('keeps the URLs of an instance that is booted over later plans and restarts, until the machine goes on', () => {
  const path = join(temporaryFolder(), 'ledger.sqlite')
  const open = () => {
    const ledger = openLedger(path)
    return { ledger, machines: openMachines(ledger, randomUUID) }
  }
  const of = machine()
  const first = open()
  first.machines.learn(of, 1)
  const instance = { kernel: 'sha256-k', initrd: 'sha256-i', cmdline: 'quiet' }
  first.machines.setBoot(of.node, 1, { mode: 'instance', instance })
  const token = first.machines.bootToken(first.machines.byMac(mac)!, mac)
  first.ledger.close()

  const { ledger: later, machines } = open()
  machines.learn({ ...of, name: 'renamed' }, 2)
  expect(machines.byBootToken(token)?.machine).toMatchObject({ mode: 'instance', instance })
  expect(machines.bootToken(machines.byMac(mac)!, mac)).toBe(token)
  expect(machines.instanceFiles()).toEqual(['sha256-k', 'sha256-i'])

  machines.setBoot(of.node, 3, { mode: 'off' })
  expect([machines.byBootToken(token), machines.instanceFiles()]).toEqual([undefined, []])
  later.close()
})

it('gives the secrets of volumes once to a token, and the next start a token of its own', () => {
  const secret = { $sealed: { v: 1 as const, to: {} } }
  const volume = {
    initiator: 'iqn.2026-11.org.example:n1',
    portal: '10.20.0.1:3260',
    iqn: 'iqn.2026-11.org.example:v1',
    lun: 1,
    chap: { user: 'me', secret, bind: 'v1/a1' },
  }
  const opening = openMachines(ledger, randomUUID, ({ bind }) => `opened for ${bind}`)
  const of = machine()
  opening.learn(of, 1)
  const data = { ...volume, iqn: 'iqn.2026-11.org.example:v2', chap: { ...volume.chap, bind: 'v2/a2' } }
  opening.setBoot(of.node, 1, { mode: 'instance', instance: { cmdline: '', volume, dataVolumes: [data] } })
  const token = opening.bootToken(opening.byMac(mac)!, mac)
  const opened = new Map([
    [volume.iqn, 'opened for v1/a1'],
    [data.iqn, 'opened for v2/a2'],
  ])
  expect(opening.unlock?.(token)).toEqual(opened)
  expect(opening.byBootToken(token)).toBeUndefined()
  expect(opening.bySpentToken(token)).toEqual({ node: of.node, mac })
  expect(opening.unlock?.(token)).toEqual(new Map())
  const next = opening.bootToken(opening.byMac(mac)!, mac)
  expect(next).not.toBe(token)
  expect(opening.unlock?.(next)).toEqual(opened)
})
