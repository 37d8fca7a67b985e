import { join } from 'node:path'
import { openTerminal } from '@bloomery/ipmi/testing/terminal.ts'
import { startBmc, type RunningBmc } from '@bloomery/ipmi/server.ts'
import { paperChassis } from '@bloomery/ipmi/testing/paper-chassis.ts'
import { type PaperSerial, paperSerial } from '@bloomery/ipmi/testing/paper-serial.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { recorded } from '../../contract/console.ts'
import { Fleet, type Member } from '../rack/paper/fleet.ts'
import { run } from './bloomery-process.ts'
import { cloudHere, type CloudHere } from './cloud-here.ts'
import { paperSsh, type PaperSsh } from './paper-ssh.ts'

/** Console interface redfish-serial: from what a BMC tells over Redfish, by SSH or by SOL, through the cloud to who watches. */

let cloud: CloudHere
let fleet: Fleet
let bySsh: Member
let bySol: Member
let ssh: PaperSsh
let bmc: RunningBmc
let serial: PaperSerial

const WITHIN = 60_000
const bloomery = join(import.meta.dirname, '../../bin/bloomery')

beforeAll(async () => {
  cloud = await cloudHere()
  fleet = new Fleet({ endpoint: cloud.endpoint, sites: 1, machinesPerSite: 2, speed: 1, drivers: ['redfish'] })
  await fleet.join()
  ;[bySsh, bySol] = fleet.members as [Member, Member]
  ssh = await paperSsh({ name: 'admin', password: bySsh.machine.password })
  const { consoles } = bySsh.machine.redfish
  consoles.system = { SSH: { ServiceEnabled: true, Port: ssh.port, SharedWithManagerCLI: false } }
  serial = paperSerial()
  const users = [{ name: 'admin', password: bySol.machine.password, privilege: 'administrator' as const }]
  const onError = (error: unknown): void => void bySol.machine.accidents.push(String(error))
  bmc = await startBmc({ host: '127.0.0.1', port: 0, users, chassis: paperChassis(), serial, onError })
  bySol.machine.redfish.consoles.ipmi = bmc.port
  await fleet.bring(fleet.members, 'manage', 'manageable', WITHIN)
  // Not before, or the verification would have had its console.
  for (const { uuid } of fleet.members)
    await fleet.client.nodes.patch(uuid, [{ op: 'add', path: '/console_interface', value: 'redfish-serial' }])
}, 2 * WITHIN)
afterAll(async () => {
  await fleet?.tearDown()
  await cloud?.stopAndForget()
  await ssh?.close()
  await bmc?.close()
})

test('by SSH: bloomery console shows what the machine prints, and what is typed reaches it', async () => {
  const terminal = openTerminal(`${bloomery} console ${bySsh.uuid} --endpoint ${cloud.endpoint}`, {
    PATH: process.env['PATH'] ?? '',
    HOME: '/nonexistent',
  })
  try {
    await expect.poll(() => ssh.open(), { timeout: WITHIN }).toBe(1)
    ssh.print('paper login: ')
    await terminal.shows(/paper login:/)
    terminal.type('root\r')
    await expect.poll(() => ssh.typed, { timeout: WITHIN }).toBe('root\r')
    terminal.type('\r~.')
    expect(await terminal.ended()).toBe(0)
  } finally {
    terminal.kill()
  }
})

test('by SOL, with the account of Redfish: an enabled console is recorded, and the recording is shown', async () => {
  const { uuid } = bySol
  await fleet.client.nodes.setConsole(uuid, { enabled: true })
  await expect.poll(() => serial.isOpen, { timeout: WITHIN }).toBe(true)
  serial.print('nobody looks\r\n')
  await expect
    .poll(
      async () => {
        const { stdout } = await run(['console', uuid, '--log', '--json', '--endpoint', cloud.endpoint])
        const lines = recorded.array().parse(JSON.parse(stdout))
        return lines.map(([, , text]) => text).join('')
      },
      { timeout: WITHIN },
    )
    .toMatch(/nobody looks\r\n/)
  await fleet.client.nodes.setConsole(uuid, { enabled: false })
  await expect.poll(() => serial.isOpen, { timeout: WITHIN }).toBe(false)
})

test('an operation that fails tells in why what the console showed last', async () => {
  const { uuid } = bySsh
  await fleet.client.nodes.setConsole(uuid, { enabled: true })
  await expect.poll(() => ssh.open(), { timeout: WITHIN }).toBe(1)
  ssh.print('\u001b[2J\u001b[HKernel panic - not syncing\r\n')
  await expect
    .poll(async () => (await run(['console', uuid, '--log', '--json', '--endpoint', cloud.endpoint])).stdout, {
      timeout: WITHIN,
    })
    .toMatch(/Kernel panic/)
  const clean_steps = [{ interface: 'management', step: 'set_boot_order', args: { order: ['Boot9999'] } }]
  await fleet.client.nodes.provision(uuid, 'clean', { clean_steps })
  await fleet.reach([bySsh], 'clean failed', WITHIN)
  const { stdout } = await run(['why', uuid, '--endpoint', cloud.endpoint])
  expect(stdout).toMatch(/no boot option Boot9999/)
  expect(stdout).toMatch(/Kernel panic - not syncing/)
  expect(fleet.logged.join('\n')).not.toMatch(/Kernel panic/)
})
