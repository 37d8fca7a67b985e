import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openTerminal } from '@bloomery/ipmi/testing/terminal.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { listNetns } from './netns.ts'
import { outputOf } from './outcome.ts'
import { type Rack, startRack } from './rack.ts'
import type { RackServer } from './server.ts'

let rack: Rack
let dir: string
let bios: RackServer
let uefi: RackServer
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'rack-'))
  rack = await startRack({
    name: 'peer',
    dir,
    servers: [
      { name: 'b1', firmware: 'bios', diskMiB: 16, memoryMiB: 256 },
      { name: 'u1', firmware: 'uefi', diskMiB: 16, memoryMiB: 256 },
    ],
  })
  const [first, second] = rack.servers
  if (!first || !second) throw new Error('the rack lacks a server')
  bios = first
  uefi = second
})
afterAll(async () => {
  await rack?.stop()
  await rm(dir, { recursive: true })
})

/** ipmitool's default choice of a cipher suite hangs on ipmi_sim, hence -C 3. */
function loginTo({ address, port, username }: RackServer['bmc']): string[] {
  return ['-I', 'lanplus', '-C', '3', '-H', address, '-p', `${port}`, '-U', username, '-E']
}
function ipmitool({ bmc }: RackServer, command: string, password = bmc.password): Promise<string> {
  const env = { ...process.env, IPMI_PASSWORD: password }
  return outputOf(rack.spawnInSite(['ipmitool', ...loginTo(bmc), ...command.split(' ')], { env }))
}
const becomes = (server: RackServer, power: 'on' | 'off') =>
  expect.poll(() => server.power(), { timeout: 60_000, interval: 100 }).toBe(power)

/** A boot sector that says UP on the serial port, and goes to sleep state S5 when the power button is pressed.
 * SeaBIOS puts the ACPI registers at 0x600: PM1_STS, PM1_EN, PM1_CNT (ACPI §4.8.3). */
const bootSector = Buffer.concat([
  Buffer.from('baf803b055eeb050eeb00aee', 'hex'), // dx=0x3f8; out 'U' 'P' '\n'
  Buffer.from('ba0206b80001ef', 'hex'), //           dx=0x602; out PWRBTN_EN
  Buffer.from('ba0006edf6c40174fa', 'hex'), //       dx=0x600; until in ax has PWRBTN_STS (bit 8)
  Buffer.from('ba0406b80020eff4', 'hex'), //         dx=0x604; out SLP_EN; hlt
])
async function install(server: RackServer): Promise<void> {
  const disk = await open(server.disk, 'r+')
  await disk.write(bootSector, 0, bootSector.length, 0)
  await disk.write(Buffer.from('55aa', 'hex'), 0, 2, 510)
  await disk.close()
}

test('a new server is off, and its BMC says so', async () => {
  expect(await bios.power()).toBe('off')
  expect(await ipmitool(bios, 'chassis power status')).toContain('is off')
})

test('a wrong password gets no session', async () => {
  await expect(ipmitool(bios, 'chassis power on', 'guess')).rejects.toThrow('Unable to establish IPMI v2')
  expect(await bios.power()).toBe('off')
})

test('the boot device is what the BMC was told last', async () => {
  await ipmitool(uefi, 'chassis bootdev pxe')
  expect(await uefi.bootDevice()).toBe('pxe')
  await ipmitool(uefi, 'chassis bootdev disk')
  expect(await uefi.bootDevice()).toBe('default')
})

test('a server boots its disk, presses on over a cycle and a reset, shows it by SOL, and obeys its power button', async () => {
  await install(bios)
  await ipmitool(bios, 'chassis bootdev disk')
  const argv = ['ip', 'netns', 'exec', rack.site, 'ipmitool', ...loginTo(bios.bmc), 'sol', 'activate']
  const terminal = openTerminal(argv.join(' '), { IPMI_PASSWORD: bios.bmc.password })
  await terminal.shows(/SOL Session operational/)
  for (const command of ['chassis power on', 'chassis power cycle', 'chassis power reset']) {
    const from = await bios.serialPosition()
    await ipmitool(bios, command)
    await bios.waitForSerial(/UP\n/, { timeoutMs: 90_000, from })
    expect(await ipmitool(bios, 'chassis power status')).toContain('is on')
  }
  await terminal.shows(/UP\n[^]*UP\n[^]*UP\n/)
  terminal.kill()
  await ipmitool(bios, 'chassis power soft')
  await becomes(bios, 'off')
  expect(await ipmitool(bios, 'chassis power status')).toContain('is off')
})

test.for(['bios', 'uefi'] as const)('a %s server asked to boot the network looks for DHCP on it', async (firmware) => {
  const server = firmware === 'bios' ? bios : uefi
  const fields = ['-T', 'fields', '-e', 'dhcp.hw.mac_addr', '-e', 'dhcp.option.vendor_class_id']
  const filter = `udp dst port 67 and ether src ${server.mac}`
  const watching = outputOf(
    rack.spawnInSite(['tshark', '-i', 'prov0', '-Q', '-c', '1', '-f', filter, ...fields]),
    120_000,
  )
  await ipmitool(server, 'chassis bootdev pxe')
  await ipmitool(server, 'chassis power on')
  const architecture = firmware === 'bios' ? '00000' : '00007'
  expect(await watching).toContain(`${server.mac}\tPXEClient:Arch:${architecture}`)
  await ipmitool(server, 'chassis power off')
  expect(await server.power()).toBe('off')
})

test('a rack is gone soon after its owner was killed', async () => {
  const script = `
    const { startRack } = await import(${JSON.stringify(join(import.meta.dirname, 'rack.ts'))})
    const rack = await startRack({ name: 'orphan', dir: ${JSON.stringify(join(dir, 'orphan'))}, servers: [
      { name: 'o1', firmware: 'bios', diskMiB: 1 } ] })
    console.log('up')
    setInterval(() => {}, 1000)`
  const owner = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(owner, 'exit').then(([code]) => Promise.reject(new Error(`the rack's owner ended with ${code}`)))
  ended.catch(() => undefined)
  await Promise.race([once(owner.stdout, 'data'), ended])
  const itsOwn = async () => (await listNetns()).filter((name) => name.startsWith(`bl${owner.pid}x`))
  expect(await itsOwn()).toHaveLength(4)
  owner.kill('SIGKILL')
  await expect.poll(itsOwn, { timeout: 60_000 }).toEqual([])
})
