import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { buildTestImage } from '../images/small-image.ts'
import { type Lab, startLab } from '../lab/lab.ts'
import { ask, createNode, pushImage, useImage } from '../lab/walk.ts'

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

afterAll(async () => {
  await lab?.stop()
  rmSync(dir, { recursive: true, force: true })
})

test('a server is enrolled, cleaned, deployed and undeployed by Redfish and PXE alone', async () => {
  const server = lab.rack.servers[0]!
  await createNode(lab, server)
  expect((await ask(lab.client, NAME, 'manage', 'manageable', MINUTE)).node.power_state).toBe('power off')
  expect((await ask(lab.client, NAME, 'provide', 'available', 4 * MINUTE)).seen).toContain('clean wait')
  const from = await server.serialPosition()
  await useImage(lab.client, NAME, { image_source: 'small' })
  const { node } = await ask(lab.client, NAME, 'active', 'active', 6 * MINUTE)
  expect(node).toMatchObject({ driver: 'redfish', power_state: 'power on', last_error: null })
  expect(node.driver_info['redfish_password']).toBe('******')
  expect(await server.waitForSerial(/BLOOMERY-READY/, { timeoutMs: 2 * MINUTE, from })).toContain('BLOOMERY-READY')
  const { node: after } = await ask(lab.client, NAME, 'deleted', 'available', 4 * MINUTE)
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
  await ask(lab.client, FETCHES, 'manage', 'manageable', MINUTE)
  const { node } = await ask(lab.client, FETCHES, 'inspect', 'manageable', 8 * MINUTE)
  expect(node).toMatchObject({ boot_interface: 'redfish-https', last_error: null })
  const serial = readFileSync(server.serialLog, 'utf8')
  expect(serial).toMatch(/Uri\(http:|HTTP Boot/)
  expect(serial).toContain('from virtual media')
  expect(serial).not.toMatch(/PXE over|iPXE/)
})
