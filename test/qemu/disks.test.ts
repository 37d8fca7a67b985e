import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { rootOf } from '../images/shapes.ts'
import { buildTestImage } from '../images/small-image.ts'
import { startLab, type Lab } from '../lab/lab.ts'
import { ask, createNode, pushImage, useImage } from '../lab/walk.ts'
import { tellFailures } from './tell-failures.ts'

/** Software RAID on machines with two disks: made by cleaning, deployed to, booted and taken apart. One boots by its BIOS from either disk; the
 * other by UEFI, from a partition image, and its disks boot nothing once it is undeployed. */

const run = promisify(execFile)
const MINUTE = 60_000
const name = 'mirror'
const partitioned = 'partitioned'
const dir = mkdtempSync(join(tmpdir(), 'lab-'))
let lab: Lab

beforeAll(async () => {
  const image = await buildTestImage()
  lab = await startLab({
    name: 'raid',
    dir,
    servers: [
      { name, firmware: 'bios', diskMiB: 192, scsiDisks: 2 },
      { name: partitioned, firmware: 'uefi', diskMiB: 1664, scsiDisks: 2 },
    ],
    log: () => {},
  })
  await pushImage(lab, 'small', image)
  const root = join(dir, 'root.raw')
  await rootOf(image.path, root)
  await pushImage(lab, 'small-root', { path: root })
  for (const each of [name, partitioned]) {
    await createNode(lab, server(each))
    await lab.client.nodes.patch(each, [
      { op: 'replace', path: '/raid_interface', value: 'agent' },
      // The array is the root disk by itself.
      { op: 'remove', path: '/properties/root_device' },
      { op: 'add', path: '/automated_clean', value: false },
      { op: 'add', path: '/driver_info/fast_track', value: true },
    ])
  }
}, 15 * MINUTE)

tellFailures(() => lab)
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
    await ask(lab.client, name, 'manage', 'manageable', 3 * MINUTE)
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
    await ask(lab.client, name, 'provide', 'available', 3 * MINUTE)
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
    await ask(lab.client, name, 'manage', 'manageable', 3 * MINUTE)
    const node = await clean('delete_configuration')
    expect(node).toMatchObject({ last_error: null, raid_config: {} })
  },
  25 * MINUTE,
)

test(
  'under UEFI a machine is burnt in, its boot entries are cleaned, and an array of its disks boots a partition image',
  async () => {
    await ask(lab.client, partitioned, 'manage', 'manageable', 3 * MINUTE)
    const logical_disks = [{ size_gb: 'MAX', raid_level: '1', controller: 'software', volume_name: 'root' }]
    await lab.client.nodes.setRaid(partitioned, { logical_disks })
    const burnIn = { agent_burnin_cpu_timeout: 3, agent_burnin_vm_timeout: 3, 'agent_burnin_vm_vm-bytes': '20%' }
    await lab.client.nodes.patch(
      partitioned,
      Object.entries(burnIn).map(([key, value]) => ({ op: 'add', path: `/driver_info/${key}`, value })),
    )
    const steps = ['burnin_cpu', 'burnin_memory', 'erase_pstore', 'clean_uefi_nvram']
    await ask(lab.client, partitioned, 'clean', 'manageable', 15 * MINUTE, {
      clean_steps: [
        ...steps.map((step) => ({ interface: 'deploy', step })),
        { interface: 'raid', step: 'create_configuration' },
      ],
    })
    await ask(lab.client, partitioned, 'provide', 'available', 3 * MINUTE)
    const from = await server(partitioned).serialPosition()
    await lab.client.nodes.patch(
      partitioned,
      Object.entries({ image_source: 'small-root', image_type: 'partition', root_gb: 1, swap_mb: 64 }).map(
        ([key, value]) => ({ op: 'add', path: `/instance_info/${key}`, value }),
      ),
    )
    const { node } = await ask(lab.client, partitioned, 'active', 'active', 15 * MINUTE, {
      configdrive: { meta_data: { hostname: 'partitioned' } },
    })
    expect(node).toMatchObject({ last_error: null })
    await server(partitioned).waitForSerial(/BLOOMERY-INSTANCE hostname=partitioned/, { timeoutMs: 5 * MINUTE, from })
    expect(await loadersOn(partitioned)).toEqual(['loaders', 'loaders'])
  },
  25 * MINUTE,
)

test(
  'undeployed, its array stays, and neither of its disks boots any more',
  async () => {
    await lab.client.nodes.patch(partitioned, [
      { op: 'replace', path: '/automated_clean', value: true },
      { op: 'remove', path: '/driver_info/fast_track' },
    ])
    const { node } = await ask(lab.client, partitioned, 'deleted', 'available', 15 * MINUTE)
    expect(node).toMatchObject({ last_error: null, raid_config: { logical_disks: [{ volume_name: 'root' }] } })
    expect(await loadersOn(partitioned)).toEqual(['none', 'none'])
  },
  20 * MINUTE,
)

/** What a firmware would find on the first partition of each disk, which is where an array's disks have their loaders. */
async function loadersOn(of: string): Promise<string[]> {
  return Promise.all(
    ['disk.raw', 'disk1.raw'].map(async (file) => {
      const listed = run('mdir', ['-b', '-i', `${join(dir, 'rack', of, file)}@@1M`, '::/EFI/BOOT'])
      return listed.then(
        ({ stdout }) => (/BOOTX64\.EFI/i.test(stdout) ? 'loaders' : stdout),
        () => 'none',
      )
    }),
  )
}

async function power(target: 'power on' | 'power off'): Promise<void> {
  await lab.client.nodes.power(name, target)
  await expect
    .poll(async () => (await lab.client.nodes.get(name)).power_state, { timeout: 3 * MINUTE, interval: 500 })
    .toBe(target)
}
