import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { buildTestImage } from '../images/small-image.ts'
import { type Lab, startLab } from '../lab/lab.ts'
import { ask, createNode, pushImage, useImage } from '../lab/walk.ts'
import { tellFailures } from './tell-failures.ts'

/** A server on a network without any DHCP server: firmware that enforces Secure Boot starts a medium that its BMC has inserted, with static
 * addresses in it, on a bond and a VLAN. The image's own loader is signed by nobody, so its disk is started without. */

const MINUTE = 60_000
const NAME = 'media-1'
const dir = mkdtempSync(join(tmpdir(), 'lab-'))
let lab: Lab

beforeAll(async () => {
  const image = await buildTestImage()
  const servers = [{ name: NAME, firmware: 'uefi', diskMiB: 256, bmc: 'redfish', secureMedia: true } as const]
  lab = await startLab({ name: 'media', dir, servers, dhcp: false, log: () => {} })
  await pushImage(lab, 'small', image)
}, 15 * MINUTE)

tellFailures(() => lab)
afterAll(async () => {
  await lab?.stop()
  rmSync(dir, { recursive: true, force: true })
})

test('a UEFI server is deployed by Redfish virtual media under Secure Boot, with no DHCP server on its network', async () => {
  const server = lab.rack.servers[0]!
  await createNode(lab, server)
  const network_data = {
    links: [
      { id: 'card', type: 'phy', ethernet_mac_address: server.mac },
      { id: 'both', type: 'bond', bond_links: ['card'], bond_mode: 'active-backup' },
      { id: 'tagged', type: 'vlan', vlan_id: 7, vlan_link: 'both' },
    ],
    networks: [
      { id: 'n', type: 'ipv4', link: 'both', ip_address: '10.80.0.50', netmask: '255.255.255.0', routes: [] },
      { id: 't', type: 'ipv4', link: 'tagged', ip_address: '10.87.0.50', netmask: '255.255.255.0', routes: [] },
    ],
    services: [],
  }
  await lab.client.nodes.patch(NAME, [
    { op: 'add', path: '/boot_interface', value: 'redfish-virtual-media' },
    { op: 'add', path: '/network_data', value: network_data },
    { op: 'add', path: '/automated_clean', value: false },
  ])
  await ask(lab.client, NAME, 'manage', 'manageable', 3 * MINUTE)
  await ask(lab.client, NAME, 'provide', 'available', 3 * MINUTE)
  await useImage(lab.client, NAME, { image_source: 'small' })
  const from = await server.serialPosition()
  const { node } = await ask(lab.client, NAME, 'active', 'active', 10 * MINUTE)
  expect(node).toMatchObject({ boot_interface: 'redfish-virtual-media', power_state: 'power on', last_error: null })
  expect(await server.waitForSerial(/BLOOMERY-READY/, { timeoutMs: 5 * MINUTE, from })).toContain('BLOOMERY-READY')
  const serial = readFileSync(server.serialLog, 'utf8')
  expect(serial).toMatch(/secure ?boot enabled/i)
  expect(serial).toContain(`network: bond0 ${server.mac} has 10.80.0.50/24, of the boot medium`)
  expect(serial).toContain(`network: vlan7 ${server.mac} has 10.87.0.50/24, of the boot medium`)
  expect(serial).not.toMatch(/PXE|DHCP/)
  expect(readFileSync(join(dir, 'rack', NAME, 'cdrom.iso')).length).toBe(0)
  await ask(lab.client, NAME, 'deleted', 'available', 3 * MINUTE)
  expect(await server.power()).toBe('off')
})
