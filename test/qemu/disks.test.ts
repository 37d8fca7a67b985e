import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { rootOf } from '../images/shapes.ts'
import { buildTestImage } from '../images/small-image.ts'
import { startLab, type Lab } from '../lab/lab.ts'
import { ask, createNode, pushImage, useImage } from '../lab/walk.ts'

/** Software RAID on a machine with two disks: made by cleaning, deployed to, booted by its BIOS from either disk, and taken apart; and a
 * partition image on a machine with UEFI. */

const MINUTE = 60_000
const name = 'mirror'
const plain = 'plain'
const dir = mkdtempSync(join(tmpdir(), 'lab-'))
let lab: Lab

beforeAll(async () => {
  const image = await buildTestImage()
  lab = await startLab({
    name: 'raid',
    dir,
    servers: [
      { name, firmware: 'bios', diskMiB: 192, scsiDisks: 2 },
      { name: plain, firmware: 'uefi', diskMiB: 1536 },
    ],
    log: () => {},
  })
  await pushImage(lab, 'small', image)
  const root = join(dir, 'root.raw')
  await rootOf(image.path, root)
  await pushImage(lab, 'small-root', { path: root })
  await createNode(lab, server(plain))
  await lab.client.nodes.patch(plain, [{ op: 'add', path: '/automated_clean', value: false }])
  await createNode(lab, server())
  await lab.client.nodes.patch(name, [
    { op: 'replace', path: '/raid_interface', value: 'agent' },
    // The array is the root disk by itself.
    { op: 'remove', path: '/properties/root_device' },
    { op: 'add', path: '/automated_clean', value: false },
  ])
}, 15 * MINUTE)

afterAll(async () => {
  await lab?.stop()
  rmSync(dir, { recursive: true, force: true })
})

function server(of = name) {
  return lab.rack.servers.find((each) => each.name === of)!
}

async function clean(step: string) {
  const { node } = await ask(lab.client, name, 'clean', 'manageable', 15 * MINUTE, {
    clean_steps: [{ interface: 'raid', step }],
  })
  return node
}

test(
  'an array is made of both disks, and the node tells it',
  async () => {
    await ask(lab.client, name, 'manage', 'manageable', MINUTE)
    const logical_disks = [{ size_gb: 'MAX', raid_level: '1', controller: 'software', volume_name: 'root' }]
    await lab.client.nodes.setRaid(name, { logical_disks })
    const node = await clean('create_configuration')
    expect(node).toMatchObject({ last_error: null, raid_config: { logical_disks: [{ controller: 'software' }] } })
    expect(node.raid_config).toMatchObject({
      logical_disks: [{ volume_name: 'root', raid_level: '1', physical_disks: ['/dev/sda', '/dev/sdb'] }],
    })
  },
  20 * MINUTE,
)

test(
  'an image is deployed to it, and boots from either disk',
  async () => {
    await ask(lab.client, name, 'provide', 'available', MINUTE)
    const from = await server().serialPosition()
    await useImage(lab.client, name, { image_source: 'small' })
    const { node } = await ask(lab.client, name, 'active', 'active', 15 * MINUTE, {
      configdrive: { meta_data: { hostname: 'mirrored' } },
    })
    expect(node).toMatchObject({ last_error: null })
    await server().waitForSerial(/BLOOMERY-INSTANCE hostname=mirrored/, { timeoutMs: 5 * MINUTE, from })
    await server().waitForSerial(/BLOOMERY-ARRAY raid1 missing=0/, { timeoutMs: 3 * MINUTE, from })

    await power('power off')
    await server().loseDisk()
    const later = await server().serialPosition()
    await power('power on')
    await server().waitForSerial(/BLOOMERY-ARRAY raid1 missing=1/, { timeoutMs: 5 * MINUTE, from: later })
    await server().waitForSerial(/BLOOMERY-INSTANCE hostname=mirrored/, { timeoutMs: 3 * MINUTE, from: later })
  },
  30 * MINUTE,
)

test(
  'it is taken apart, also with a disk missing',
  async () => {
    await ask(lab.client, name, 'deleted', 'available', 5 * MINUTE)
    await ask(lab.client, name, 'manage', 'manageable', MINUTE)
    const node = await clean('delete_configuration')
    expect(node).toMatchObject({ last_error: null, raid_config: {} })
  },
  25 * MINUTE,
)

test(
  'a partition image gets the partitions that were asked for, and a loader that the firmware knows',
  async () => {
    await ask(lab.client, plain, 'manage', 'manageable', MINUTE)
    await ask(lab.client, plain, 'provide', 'available', MINUTE)
    const from = await server(plain).serialPosition()
    await lab.client.nodes.patch(
      plain,
      Object.entries({ image_source: 'small-root', image_type: 'partition', root_gb: 1, swap_mb: 64 }).map(
        ([key, value]) => ({ op: 'add', path: `/instance_info/${key}`, value }),
      ),
    )
    const { node } = await ask(lab.client, plain, 'active', 'active', 15 * MINUTE, {
      configdrive: { meta_data: { hostname: 'partitioned' } },
    })
    expect(node).toMatchObject({ last_error: null })
    await server(plain).waitForSerial(/BLOOMERY-INSTANCE hostname=partitioned/, { timeoutMs: 5 * MINUTE, from })
  },
  25 * MINUTE,
)

async function power(target: 'power on' | 'power off'): Promise<void> {
  await lab.client.nodes.power(name, target)
  await expect
    .poll(async () => (await lab.client.nodes.get(name)).power_state, { timeout: MINUTE, interval: 500 })
    .toBe(target)
}
