import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startBmc } from '@bloomery/ipmi/server.ts'
import { paperChassis } from '@bloomery/ipmi/testing/paper-chassis.ts'
import { paperSerial } from '@bloomery/ipmi/testing/paper-serial.ts'
import { type RunningRedfish, startRedfish } from '@bloomery/redfish/server.ts'
import { dialects } from '@bloomery/redfish/service/dialect.ts'
import { paperMachine } from '@bloomery/redfish/testing/paper-machine.ts'
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest'
import type { Machine } from '../../contract/plan.ts'
import { openDrivers } from '../drivers/table.ts'
import { openLedger } from '../ledger/ledger.ts'
import { realClock } from '../real-clock.ts'
import { findConsole } from './find-console.ts'
import { openHostKeys } from './host-keys.ts'
import type { ConsoleLine } from './line.ts'
import { consoleUser, type PeerSshServer, startSshServer } from './peer-ssh-server.ts'

/** Console interface redfish-serial, from what a BMC tells over Redfish to the machine's serial port. */

const node = '1be26c0b-03f2-4d2e-ae87-c02d7f33c123'
const { username, password } = consoleUser
const dir = mkdtempSync(join(tmpdir(), 'redfish-serial-'))
const within = { timeout: 30_000 }
let redfish: RunningRedfish
let ssh: PeerSshServer | undefined
let line: ConsoleLine | undefined
let driver: 'redfish' | 'idrac'
const { drivers, close } = openDrivers()
const ledger = openLedger(join(dir, 'ledger.sqlite'))

async function start(dialect: string): Promise<void> {
  redfish = await startRedfish({
    host: '127.0.0.1',
    port: 0,
    users: [{ name: username, password }],
    machine: paperMachine(),
    dialect: dialects.find(({ name }) => name === dialect)!,
    onError: (error) => {
      throw error
    },
  })
}
beforeEach(() => {
  driver = 'redfish'
})
afterEach(async () => {
  await line?.close()
  line = undefined
  await redfish.close()
  await ssh?.stop()
  ssh = undefined
})

afterAll(async () => {
  await close()
  ledger.close()
  rmSync(dir, { recursive: true, force: true })
})

async function open(more: Record<string, unknown> = {}) {
  const driver_info = {
    redfish_address: redfish.url,
    redfish_username: username,
    redfish_password: password,
    ...more,
  }
  const machine = { node, driver, interfaces: { console: 'redfish-serial' }, driver_info } as unknown as Machine
  const heard: string[] = []
  const opens = findConsole({
    machines: { get: () => ({ machine, generation: 1, powerState: null }) },
    identity: { uuid: node, sealingKey: '' },
    drivers,
    clock: realClock,
    delays: () => 0,
    imagined: () => ({ read: () => undefined, write: () => {} }),
    hostKeys: openHostKeys(ledger),
  })(node)!
  line = await opens({
    data: (bytes) => void heard.push(Buffer.from(bytes).toString()),
    mark: () => {},
    lost: () => {},
  })
  return () => heard.join('')
}
const sshOfSystem = (port: number) => ({ SSH: { ServiceEnabled: true, Port: port, SharedWithManagerCLI: false } })

test("a system's own SSH leads to its port; its host key is remembered, and another one is refused until somebody says so", async () => {
  await start('standard')
  ssh = await startSshServer('password')
  redfish.state.consoles.system = sshOfSystem(ssh.port)
  await expect.poll(await open(), within).toContain('serial port of m1')
  await line!.close()
  expect(openHostKeys(ledger).get(node)).toEqual({ address: `127.0.0.1:${ssh.port}`, fingerprint: ssh.fingerprint })
  const before = ssh.fingerprint
  await ssh.rekey()
  await expect(open()).rejects.toThrow(
    `its host key is ${ssh.fingerprint}, and ${before} is the one that is known; if the BMC was replaced, set driver_info/redfish_ssh_fingerprint`,
  )
  const heard = await open({ redfish_ssh_fingerprint: ssh.fingerprint })
  await expect.poll(heard, within).toContain('serial port of m1')
})

test('where only the command line of an iDRAC is had by SSH, what leads on is typed there', async () => {
  await start('dell')
  driver = 'idrac'
  ssh = await startSshServer('keyboard-interactive', 'shell')
  redfish.state.consoles.ssh = ssh.port
  const heard = await open({ redfish_console: 'ssh' })
  await expect.poll(heard, within).toContain('serial port of m1')
})

test('a manager that offers IPMI is asked for serial over LAN, with the account of Redfish', async () => {
  await start('standard')
  const serial = paperSerial()
  const users = [{ name: username, password, privilege: 'administrator' as const }]
  const bmc = await startBmc({ host: '127.0.0.1', port: 0, users, chassis: paperChassis(), serial, onError: () => {} })
  redfish.state.consoles.ipmi = bmc.port
  try {
    const heard = await open()
    serial.print('from SOL\r\n')
    await expect.poll(heard, within).toContain('from SOL')
    await line!.close()
    line = undefined
  } finally {
    await bmc.close()
  }
})

test('what is not offered is refused in words', async () => {
  await start('standard')
  redfish.state.consoles.system = sshOfSystem(1)
  await expect(open({ redfish_console: 'ipmi' })).rejects.toThrow(
    /serial console is had by ssh, and driver_info\/redfish_console says ipmi/,
  )
})
