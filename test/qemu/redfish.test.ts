import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { buildTestImage } from '../images/small-image.ts'
import { type Lab, startLab } from '../lab/lab.ts'
import { ask, createNode, pushImage, useImage } from '../lab/walk.ts'
import { tellFailures } from './tell-failures.ts'

/** A server whose only BMC speaks Redfish over TLS with a certificate of its own, booted by PXE. */

const MINUTE = 60_000
const NAME = 'redfish-1'
const FETCHES = 'redfish-2'
const dir = mkdtempSync(join(tmpdir(), 'lab-'))
let lab: Lab

beforeAll(async () => {
  const image = await buildTestImage()
  const servers = [
    { name: NAME, firmware: 'bios', diskMiB: 256, bmc: 'redfish' },
    // Firmware keeps the whole medium in memory.
    { name: FETCHES, firmware: 'uefi', diskMiB: 64, bmc: 'redfish', memoryMiB: 1024 },
  ] as const
  lab = await startLab({ name: 'redfish', dir, servers: [...servers], log: () => {} })
  await pushImage(lab, 'small', image)
}, 15 * MINUTE)

tellFailures(() => lab)
afterAll(async () => {
  await lab?.stop()
  rmSync(dir, { recursive: true, force: true })
})

test('a server is enrolled, cleaned, deployed, started by kexec and undeployed by Redfish and PXE alone', async () => {
  const server = lab.rack.servers[0]!
  await createNode(lab, server)
  expect((await ask(lab.client, NAME, 'manage', 'manageable', 3 * MINUTE)).node.power_state).toBe('power off')
  expect((await ask(lab.client, NAME, 'provide', 'available', 6 * MINUTE)).seen).toContain('clean wait')
  const from = await server.serialPosition()
  await useImage(lab.client, NAME, { image_source: 'small' })
  await lab.client.nodes.patch(NAME, [
    { op: 'add', path: '/driver_info/kexec', value: true },
    { op: 'add', path: '/driver_info/kernel_append_params', value: '%default% own.word=1' },
  ])
  const { node } = await ask(lab.client, NAME, 'active', 'active', 6 * MINUTE)
  expect(node).toMatchObject({ driver: 'redfish', power_state: 'power on', last_error: null })
  expect(node.driver_info['redfish_password']).toBe('******')
  expect(await server.waitForSerial(/BLOOMERY-READY/, { timeoutMs: 5 * MINUTE, from })).toContain('BLOOMERY-READY')
  const history = (await lab.client.nodes.history(NAME)).map(({ event }) => event)
  expect(history.filter((event) => event.includes('kexec failed'))).toEqual([])
  const deploy = readFileSync(server.serialLog, 'latin1').slice(from)
  // One start of the firmware: the disk's kernel was started by the ramdisk's, and the machine knows where to boot from the next time.
  expect(deploy.split('SeaBIOS (version')).toHaveLength(2)
  expect(deploy).toMatch(/ommand line: [^\n]*console=ttyS0 own\.word=1 /)
  expect(await server.bootDevice()).toBe('default')
  const { node: after } = await ask(lab.client, NAME, 'deleted', 'available', 8 * MINUTE)
  expect(after).toMatchObject({ power_state: 'power off', instance_info: {} })
  expect(await server.power()).toBe('off')
})

test('firmware that the BMC has told a URL fetches the medium and starts the ramdisk, which tells what the machine is', async () => {
  const server = lab.rack.servers[1]!
  await createNode(lab, server)
  await lab.client.nodes.patch(FETCHES, [
    { op: 'add', path: '/boot_interface', value: 'redfish-https' },
    { op: 'add', path: '/inspect_interface', value: 'agent' },
  ])
  await ask(lab.client, FETCHES, 'manage', 'manageable', 3 * MINUTE)
  const { node } = await ask(lab.client, FETCHES, 'inspect', 'manageable', 8 * MINUTE)
  expect(node).toMatchObject({ boot_interface: 'redfish-https', last_error: null })
  const serial = readFileSync(server.serialLog, 'utf8')
  expect(serial).toMatch(/Uri\(http:|HTTP Boot/)
  expect(serial).toContain('from virtual media')
  expect(serial).not.toMatch(/PXE over|iPXE/)
})
