import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { GiB } from '../disks/disk.ts'
import { describeCard } from './cards.ts'
import { describeMachine } from './describe.ts'
import { dmiFacts, tpmFacts } from './dmi.ts'
import { listPciDevices } from './pci.ts'
import { describeProcessors } from './processors.ts'

async function sysfs(files: Record<string, string>): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'agent-inventory-'))
  onTestFinished(() => rm(root, { recursive: true }))
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true })
    await writeFile(join(root, path), `${text}\n`)
  }
  return root
}

const cpuinfo = [0, 1, 2, 3]
  .map((number) => `processor\t: ${number}\nmodel name\t: Xeon\ncpu MHz\t\t: 2593.9\nflags\t\t: fpu vme sse2\n`)
  .join('\n')

it('describes processors: how many, in how many sockets, how fast', async () => {
  const root = await sysfs({
    ...Object.fromEntries(
      [0, 1, 2, 3].map((n) => [`devices/system/cpu/cpu${n}/topology/physical_package_id`, String(n >> 1)]),
    ),
    'devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq': '3500000',
    'devices/system/cpu/cpufreq/boost': '1',
  })
  const fast = {
    model_name: 'Xeon',
    frequency: '3500',
    count: 4,
    architecture: 'x86_64',
    flags: ['fpu', 'vme', 'sse2'],
    socket_count: 2,
  }
  expect(await describeProcessors(cpuinfo, root, 'x64')).toEqual(fast)
  const bare = await sysfs({ 'devices/system/cpu/online': '0-3' })
  expect(await describeProcessors(cpuinfo, bare, 'x64')).toMatchObject({ frequency: '2593.9', socket_count: 1 })
  const arm = 'processor\t: 0\nBogoMIPS\t: 50.00\nFeatures\t: fp asimd\n'
  expect(await describeProcessors(arm, bare, 'arm64')).toMatchObject({
    count: 1,
    architecture: 'aarch64',
    flags: ['fp', 'asimd'],
    frequency: null,
  })
})

it('describes a card by its PCI function, also behind virtio, and by its routed addresses', async () => {
  const pci = 'devices/pci0000:00/0000:00:03.0'
  const root = await sysfs({
    [`${pci}/virtio0/vendor`]: '0x1af4',
    [`${pci}/virtio0/device`]: '0x0001',
    'bus/virtio/drivers/virtio_net/bind': '',
    'class/net/eth0/speed': '10000',
  })
  await symlink(join(root, 'bus/virtio/drivers/virtio_net'), join(root, pci, 'virtio0/driver'))
  await symlink(join(root, pci, 'virtio0'), join(root, 'class/net/eth0/device'))
  const of = (address: string) => ({ address, internal: false }) as never
  const addresses = { eth0: [of('fe80::1'), of('192.0.2.9'), of('2001:db8::9')] }
  const card = { name: 'eth0', mac: '52:54:00:aa:00:01', carrier: true, physical: true }
  expect(await describeCard(card, addresses, root)).toEqual({
    name: 'eth0',
    mac_address: '52:54:00:aa:00:01',
    ipv4_address: '192.0.2.9',
    ipv6_address: '2001:db8::9',
    has_carrier: true,
    vendor: '0x1af4',
    product: '0x0001',
    client_id: null,
    biosdevname: null,
    speed_mbps: 10_000,
    pci_address: '0000:00:03.0',
    driver: 'virtio_net',
  })
})

it('lists PCI functions as ironic-python-agent writes them', async () => {
  const root = await sysfs({
    'bus/pci/devices/0000:00:03.0/vendor': '0x1af4',
    'bus/pci/devices/0000:00:03.0/device': '0x1000',
    'bus/pci/devices/0000:00:03.0/class': '0x020000',
    'bus/pci/devices/0000:00:03.0/revision': '0x00',
  })
  expect(await listPciDevices(root)).toEqual([
    { vendor_id: '1af4', product_id: '1000', class: '020000', revision: '00', bus: '0000:00:03.0' },
  ])
  expect(await listPciDevices('/nowhere')).toEqual([])
})

it('describes a machine whose firmware says nothing by what the kernel knows', async () => {
  const disk = { name: '/dev/vda', size: GiB, sector: 512, rotational: true, discards: false }
  const around = { disks: [disk], interfaces: [], bootMac: '52:54:00:aa:00:01', uefi: true }
  const described = await describeMachine(around, '/nowhere', '/proc')
  expect(described).toMatchObject({
    disks: [{ name: '/dev/vda', size: GiB, logical_sectors: 512, rotational: true }],
    boot: { current_boot_mode: 'uefi', pxe_interface: '52:54:00:aa:00:01' },
    system_vendor: { manufacturer: '' },
  })
  expect(described['memory']).toMatchObject({ physical_mb: expect.any(Number) as number })
})

it('tells what firmware says of the machine, and its TPM, and nothing of what it does not say', async () => {
  const id = 'class/dmi/id'
  const root = await sysfs({
    [`${id}/bios_vendor`]: 'SeaBIOS',
    [`${id}/sys_vendor`]: 'Acme',
    [`${id}/product_name`]: 'R1',
    [`${id}/chassis_serial`]: '',
    'class/tpm/tpm0/tpm_version_major': '2',
  })
  expect(await dmiFacts(root)).toEqual({ bios: { vendor: 'SeaBIOS' }, system: { vendor: 'Acme', name: 'R1' } })
  expect(await tpmFacts(root)).toEqual({ version: '2' })
  const none = await sysfs({})
  expect([await dmiFacts(none), await tpmFacts(none)]).toEqual([{}, undefined])
})
