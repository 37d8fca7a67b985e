import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Recorded } from '../../contract/console.ts'
import { buildTestImage } from '../images/small-image.ts'
import { startLab, type Lab } from '../lab/lab.ts'
import { ask, createNode, pushImage, settled, useImage } from '../lab/walk.ts'
import { bootableContainer } from './bootable-container.ts'
import { instanceFiles } from './instance-files.ts'
import { tellFailures } from './tell-failures.ts'

/** The product on real firmware: SeaBIOS and OVMF in QEMU, powered by OpenIPMI's ipmi_sim only, booted by our DHCP, TFTP and HTTP only. */

const MINUTE = 60_000
const dir = mkdtempSync(join(tmpdir(), 'lab-'))
const userData = '#cloud-config\nruncmd: [true]\n'
let lab: Lab
let image: { path: string; size: number; sha256: string }

beforeAll(async () => {
  image = await buildTestImage()
  lab = await startLab({
    name: 'deploy',
    dir,
    servers: [
      { name: 'bios-1', firmware: 'bios', diskMiB: 256 },
      { name: 'uefi-1', firmware: 'uefi', diskMiB: 256 },
    ],
    log: () => {},
  })
  await pushImage(lab, 'small', image)
}, 15 * MINUTE)

tellFailures(() => lab)
afterAll(async () => {
  await lab?.stop()
  rmSync(dir, { recursive: true, force: true })
})

function server(name: string) {
  return lab.rack.servers.find((each) => each.name === name)!
}

// One starts the ramdisk for each of cleaning and deploy; in the other the agent stays in between.
describe.each([
  ['bios-1', false],
  ['uefi-1', true],
])('%s', (name, stays) => {
  test('goes from enroll to available by API calls alone', async () => {
    await createNode(lab, server(name))
    await lab.client.nodes.patch(name, [{ op: 'add', path: '/driver_info/fast_track', value: stays }])
    expect((await lab.client.nodes.get(name)).provision_state).toBe('enroll')
    expect((await ask(lab.client, name, 'manage', 'manageable', 3 * MINUTE)).node.power_state).toBe('power off')
    const { node, seen } = await ask(lab.client, name, 'provide', 'available', 8 * MINUTE)
    expect(seen).toContain('clean wait')
    expect(node).toMatchObject({ power_state: stays ? 'power on' : 'power off', clean_step: {}, last_error: null })
    // What its serial console printed meanwhile, the site has by SOL.
    await lab.client.nodes.askConsoleLog(name, {})
    const printed = async (): Promise<string> =>
      ((await lab.client.nodes.consoleLog(name)).log ?? '')
        .split('\n')
        .filter(Boolean)
        .map((line) => (JSON.parse(line) as Recorded)[2])
        .join('')
    await expect.poll(printed, { timeout: 3 * MINUTE }).toMatch(/iPXE/)
  })

  test('is deployed, and boots from its disk with what its config drive says', async () => {
    const from = await server(name).serialPosition()
    await useImage(lab.client, name, { image_source: 'small' })
    const { node } = await ask(lab.client, name, 'active', 'active', 6 * MINUTE, {
      configdrive: { meta_data: { hostname: `host-${name}`, uuid: 'b100' }, user_data: userData },
    })
    expect(node).toMatchObject({ power_state: 'power on', deploy_step: {}, last_error: null })
    const said = await server(name).waitForSerial(/BLOOMERY-READY/, { timeoutMs: 5 * MINUTE, from })
    expect(said).toContain('BLOOMERY-READY')
    await server(name).waitForSerial(new RegExp(`BLOOMERY-INSTANCE hostname=host-${name} uuid=b100`), {
      timeoutMs: 3 * MINUTE,
      from,
    })
    const digest = createHash('sha256').update(userData).digest('hex')
    await server(name).waitForSerial(new RegExp(`BLOOMERY-USERDATA ${digest}`), { timeoutMs: 3 * MINUTE, from })
    await server(name).waitForSerial(/BLOOMERY-NETWORK \S+ 10\.80\.0\./, { timeoutMs: 3 * MINUTE, from })
  })

  test('is undeployed: cleaned, off, and available again', async () => {
    await lab.client.nodes.patch(name, [{ op: 'remove', path: '/driver_info/fast_track' }])
    const { node, seen } = await ask(lab.client, name, 'deleted', 'available', 8 * MINUTE)
    expect(seen).toContain('clean wait')
    expect(node).toMatchObject({ power_state: 'power off', instance_info: {}, instance_uuid: null })
    expect(await server(name).power()).toBe('off')
  })
})

test('by deploy interface ramdisk they boot a kernel, at each start, and an ISO that iPXE starts', async () => {
  const files = await instanceFiles(lab, join(dir, 'instance'))
  const cleans = (name: string, value: boolean) =>
    lab.client.nodes.patch(name, [
      { op: 'replace', path: '/deploy_interface', value: value ? 'direct' : 'ramdisk' },
      { op: 'replace', path: '/automated_clean', value },
    ])
  const up = (name: string, role: string, from: number) =>
    server(name).waitForSerial(new RegExp(`ommand line: [^\n]*role=${role}[^]*RAMDISK UP`), {
      timeoutMs: 4 * MINUTE,
      from,
    })
  const boots = async (name: string, role: string, info: Record<string, string>) => {
    await cleans(name, false)
    await useImage(lab.client, name, info)
    const from = await server(name).serialPosition()
    await ask(lab.client, name, 'active', 'active', 4 * MINUTE)
    await up(name, role, from)
  }
  const { kernel, ramdisk, iso } = files
  const worker = async (): Promise<void> => {
    await boots('bios-1', 'worker', { kernel, ramdisk, kernel_append_params: 'console=ttyS0 role=worker' })
    const from = await server('bios-1').serialPosition()
    await lab.client.nodes.power('bios-1', 'rebooting')
    await up('bios-1', 'worker', from)
  }
  try {
    await Promise.all([worker(), boots('uefi-1', 'live', { boot_iso: iso })])
  } finally {
    files.stop()
  }
  for (const name of ['bios-1', 'uefi-1']) {
    const { node } = await ask(lab.client, name, 'deleted', 'available', 8 * MINUTE)
    expect(node).toMatchObject({ power_state: 'power off', instance_info: {}, last_error: null })
    await cleans(name, true)
  }
})

test('by deploy interface bootc the container’s own installer writes the disk, and what it wrote boots', async () => {
  const name = 'uefi-1'
  const container = await bootableContainer(lab, join(dir, 'container'), image.path)
  const patch = (values: Record<string, unknown>) =>
    lab.client.nodes.patch(
      name,
      Object.entries(values).map(([path, value]) => ({ op: 'add', path, value })),
    )
  try {
    await patch({ '/deploy_interface': 'bootc', '/automated_clean': false })
    await useImage(lab.client, name, { image_source: container.image, kernel_append_params: 'quiet' })
    const from = await server(name).serialPosition()
    const { node } = await ask(lab.client, name, 'active', 'active', 6 * MINUTE)
    expect(node).toMatchObject({ last_error: null })
    await server(name).waitForSerial(/BLOOMERY-READY/, { timeoutMs: 4 * MINUTE, from })
  } finally {
    container.stop()
  }
  await ask(lab.client, name, 'deleted', 'available', 8 * MINUTE)
  await patch({ '/deploy_interface': 'direct', '/automated_clean': true })
})

test('appliance killed while the image is written, cloud killed too, and the WAN cut on top: the machine comes up', async () => {
  const name = 'bios-1'
  const from = await server(name).serialPosition()
  await useImage(lab.client, name, { image_source: 'small' })
  await lab.client.nodes.provision(name, 'active', { configdrive: { meta_data: { hostname: 'survivor' } } })
  await expect
    .poll(async () => (await lab.client.nodes.get(name, { bloomery: 1 })).operation?.note ?? '', {
      timeout: 4 * MINUTE,
      interval: 200,
    })
    .toMatch(/writing image/)
  await lab.appliance.kill()
  await lab.cloud.kill()
  await lab.rack.wan.cut()
  await lab.appliance.start()
  await server(name).waitForSerial(/BLOOMERY-INSTANCE hostname=survivor/, { timeoutMs: 5 * MINUTE, from })
  await lab.cloud.start()
  await lab.rack.wan.mend()
  const { node } = await settled(lab.client, name, 'active', 4 * MINUTE)
  expect(node).toMatchObject({ power_state: 'power on', last_error: null })
  const events = (await lab.client.nodes.history(name)).map(({ event }) => event)
  const last = events.slice(events.findLastIndex((event) => event.includes('available to deploying')))
  expect(last.filter((event) => event.endsWith('to active.'))).toHaveLength(1)
})

test('a wrong BMC password leaves the node in enroll, and the error says so', async () => {
  const { client } = lab
  await client.nodes.provision('uefi-1', 'manage')
  await settled(client, 'uefi-1', 'manageable', 3 * MINUTE)
  await client.nodes.delete('uefi-1')
  await createNode(lab, server('uefi-1'), 'not the password')
  await client.nodes.provision('uefi-1', 'manage')
  await expect
    .poll(async () => client.nodes.get('uefi-1'), { timeout: 3 * MINUTE })
    .toMatchObject({ provision_state: 'enroll', last_error: expect.stringMatching(/password/) as string })
})
