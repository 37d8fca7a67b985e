import { describe, expect, it } from 'vitest'
import { conductorOptions } from '../../../contract/conductor-options.ts'
import type { HookName, InspectionOptions } from '../../../contract/inspection-options.ts'
import type { Node, Port } from '../../../contract/resources.ts'
import { blankNode } from '../../store/blank-node.ts'
import { readInventory } from '../found.ts'
import type { Finding } from './hook.ts'
import { inspectedData, inspectedNode, inspectedPorts, refusalOf } from './table.ts'

const FIRST = '52:54:00:aa:00:01'
const SECOND = '52:54:00:aa:00:02'
const told = {
  cpu: { count: 8, architecture: 'x86_64', flags: ['vmx', 'aes', 'fpu'] },
  memory: { total: 1, physical_mb: 16_384 },
  boot: { current_boot_mode: 'uefi', pxe_interface: '01-52-54-00-AA-00-01' },
  disks: [
    { name: '/dev/sda', size: 100 * 1024 ** 3, serial: 'A1' },
    { name: '/dev/sdb', size: 50 * 1024 ** 3, serial: 'B2' },
  ],
  interfaces: [
    { name: 'eth0', mac_address: '52:54:00:AA:00:01', ipv4_address: '10.20.0.7', has_carrier: true },
    { name: 'eth1', mac_address: SECOND },
    { mac_address: 'lo' },
  ],
}
const lldp = [
  [1, '04112233aabbcc'],
  [2, '0573776931'],
]

interface Given {
  hooks?: HookName[]
  inventory?: Record<string, unknown>
  plugin_data?: Record<string, unknown>
  options?: Partial<InspectionOptions>
}
function finding({ hooks, inventory = told, plugin_data = {}, options = {} }: Given = {}): Finding {
  const all = conductorOptions.parse(options)
  return {
    found: readInventory(inventory),
    plugin_data,
    options: hooks ? { ...all, inspection_hooks: hooks } : all,
  }
}
const node = (more: Partial<Node> = {}): Node => ({
  ...blankNode,
  uuid: '00000001-0000-4000-8000-000000000001',
  driver: 'ipmi',
  conductor_group: 's',
  provision_state: 'inspecting',
  created_at: '2026-11-23T10:00:00.000Z',
  ...more,
})
const port = (address: string, more: Partial<Port> = {}) =>
  ({ uuid: address, address, pxe_enabled: true, local_link_connection: {}, physical_network: null, ...more }) as Port
const properties = (given: Given, before: Node['properties'] = {}) =>
  inspectedNode(node({ properties: before }), finding(given)).properties

describe('by default', () => {
  it('the properties that schedulers read are filled in, and others kept', () => {
    const before = { cpus: 1, vendor: 'paper', capabilities: 'boot_mode:bios,gpu:yes' }
    expect(properties({}, before)).toEqual({
      vendor: 'paper',
      cpu_arch: 'x86_64',
      cpus: 8,
      memory_mb: 16_384,
      local_gb: 99,
      capabilities: 'gpu:yes,boot_mode:uefi',
    })
  })

  it('what the machine does not say, or says wrongly, is left alone', () => {
    const inventory = { cpu: { count: 'many' }, memory: null, disks: 'none', boot: 7 }
    expect(properties({ inventory }, { cpus: 1 })).toEqual({ cpus: 1 })
  })

  it('the card that booted gets a port, or all where none is known to have', () => {
    expect(inspectedPorts([], finding()).add).toMatchObject([{ address: FIRST, pxe_enabled: true }])
    const unknown = finding({ inventory: { ...told, boot: {} } })
    expect(inspectedPorts([], unknown).add.map(({ address }) => address)).toEqual([FIRST, SECOND])
  })

  it('ports learn whether their card booted, but where the card that did is not known', () => {
    const known = [port(FIRST, { pxe_enabled: false }), port(SECOND)]
    expect(inspectedPorts(known, finding()).keep.map((each) => each.pxe_enabled)).toEqual([true, false])
    const unknown = finding({ inventory: { ...told, boot: {} } })
    expect(inspectedPorts(known, unknown).keep).toEqual(known)
    const off = finding({ options: { inspection_update_pxe_enabled: false } })
    expect(inspectedPorts(known, off).keep).toEqual(known)
  })

  it('LLDP tells where cards are plugged in, but what people wrote is theirs', () => {
    const inventory = { ...told, interfaces: told.interfaces.map((card) => ({ ...card, lldp })) }
    const mine = { switch_id: 'mine', port_id: '1' }
    const known = [port(SECOND, { local_link_connection: mine })]
    const { add, keep } = inspectedPorts(known, finding({ inventory }))
    expect(add).toMatchObject([{ local_link_connection: { switch_id: '11:22:33:aa:bb:cc', port_id: 'swi1' } }])
    expect(keep).toMatchObject([{ local_link_connection: mine }])
    expect(inspectedData(finding({ inventory }))).toMatchObject({
      parsed_lldp: { eth0: { switch_chassis_id: '11:22:33:aa:bb:cc', switch_port_id: 'swi1' } },
    })
  })

  it('an inventory without a card, and one beside an error of the ramdisk, fail the inspection', () => {
    expect(refusalOf(finding())).toBeUndefined()
    expect(refusalOf(finding({ inventory: { ...told, interfaces: [] } }))).toMatch(/no network interface/)
    expect(refusalOf(finding({ plugin_data: { error: 'lshw broke' } }))).toMatch(/lshw broke/)
    expect(refusalOf(finding({ hooks: ['ports'], plugin_data: { error: 'lshw broke' } }))).toBeUndefined()
  })

  it('the cards are kept by name, those that count apart', () => {
    expect(inspectedData(finding({ plugin_data: { root_disk: 1 } }))).toMatchObject({
      root_disk: 1,
      macs: [FIRST],
      all_interfaces: { eth0: { pxe_enabled: true }, eth1: { pxe_enabled: false } },
      valid_interfaces: { eth0: { mac_address: FIRST } },
    })
  })
})

describe('the option', () => {
  it.each([
    ['disabled', []],
    ['active', [FIRST]],
    ['all', [FIRST, SECOND]],
  ] as const)('inspection_add_ports %s adds %j', (mode, added) => {
    const { add } = inspectedPorts([], finding({ options: { inspection_add_ports: mode } }))
    expect(add.map(({ address }) => address)).toEqual(added)
  })

  const gone = '52:54:00:aa:00:09'
  it.each([
    ['all', []],
    ['present', [gone]],
    ['added', [SECOND, gone]],
  ] as const)('inspection_keep_ports %s removes %j', (mode, removed) => {
    const known = [port(FIRST), port(SECOND), port(gone)]
    const { keep, remove } = inspectedPorts(known, finding({ options: { inspection_keep_ports: mode } }))
    expect(remove.map(({ address }) => address)).toEqual(removed)
    expect(keep.length).toBe(3 - removed.length)
  })

  it('inspection_hooks leaves out what is not in it', () => {
    expect(properties({ hooks: ['memory'] })).toEqual({ memory_mb: 16_384 })
    expect(inspectedPorts([], finding({ hooks: ['memory'] }))).toEqual({ add: [], keep: [], remove: [] })
  })
})

describe('hook', () => {
  it('cpu-capabilities tells what the processor can', () => {
    expect(properties({ hooks: ['cpu-capabilities'] }, { capabilities: 'cpu_vt:false,a:b' })).toEqual({
      capabilities: 'a:b,cpu_vt:true,cpu_aes:true',
    })
  })

  it('root-device believes the ramdisk which disk is the root, and can count to the last gigabyte', () => {
    const root = { root_disk: { name: '/dev/sdb' } }
    expect(properties({ hooks: ['root-device'], plugin_data: root })).toEqual({ local_gb: 49 })
    const options = { inspection_disk_partitioning_spacing: false }
    expect(properties({ hooks: ['root-device'], plugin_data: { root_disk: { size: 2 ** 40 } }, options })).toEqual({
      local_gb: 1024,
    })
  })

  it('raid-device finds the one disk that came since the inspection before', () => {
    const hooks: HookName[] = ['raid-device']
    const first = inspectedNode(node(), finding({ hooks }))
    expect(first).toMatchObject({ extra: { block_devices: { serials: ['A1', 'B2'] } }, properties: {} })
    const more = { ...told, disks: [...told.disks, { name: '/dev/sdc', size: 1e12, serial: 'C3' }] }
    const second = inspectedNode(first, finding({ hooks, inventory: more }))
    expect(second.properties).toEqual({ root_device: { serial: 'C3' } })
    const two = { ...more, disks: [...more.disks, { size: 1, serial: 'D' }, { size: 1, serial: 'E' }] }
    expect(inspectedNode(first, finding({ hooks, inventory: two })).properties).toEqual({})
  })

  it('pci-devices counts cards that have a name, and accelerators describes those that are known', () => {
    const plugin_data = {
      pci_devices: [
        { vendor_id: '10de', product_id: '1eb8', bus: '0000:3b:00.0' },
        { vendor_id: '10de', product_id: '1eb8', bus: '0000:5e:00.0' },
        { vendor_id: 7 },
        null,
      ],
    }
    const options = {
      inspection_pci_device_alias: [{ vendor_id: '0x10DE', product_id: '1EB8', name: 'gpus' }],
      inspection_known_accelerators: [
        { vendor_id: '10de', device_id: '1eb8', type: 'GPU' as const, device_info: 'Tesla T4' },
      ],
    }
    const found = properties({ hooks: ['pci-devices', 'accelerators'], plugin_data, options })
    expect(found).toMatchObject({
      capabilities: 'gpus:2',
      accelerators: [{ type: 'GPU', device_info: 'Tesla T4' }, {}],
    })
    expect(
      properties({ hooks: ['pci-devices', 'accelerators'], plugin_data: { pci_devices: 'none' }, options }),
    ).toEqual({})
  })

  it('physical-network names the network by the address of the card', () => {
    const options = { inspection_physical_network_cidr_map: { '10.20.0.0/24': 'rack', '2001:db8::/64': 'six' } }
    const given = finding({ hooks: ['ports', 'physical-network'], options })
    expect(inspectedPorts([], given).add).toMatchObject([{ physical_network: 'rack' }])
    expect(inspectedPorts([port(FIRST, { physical_network: 'mine' })], given).keep).toMatchObject([
      { physical_network: 'mine' },
    ])
  })

  it('extra-hardware makes objects of its lists, and passes over what is none', () => {
    const data = [
      ['cpu', 'logical', 'number', 8],
      ['disk', 'sda', 'size', '100'],
      ['cpu', 'logical', 'vendor', 'x'],
      'no',
    ]
    expect(inspectedData(finding({ hooks: ['extra-hardware'], plugin_data: { data } }))).toMatchObject({
      extra: { cpu: { logical: { number: 8, vendor: 'x' } }, disk: { sda: { size: '100' } } },
    })
    const evil = [['__proto__', 'a', 'b', 1]]
    expect(inspectedData(finding({ hooks: ['extra-hardware'], plugin_data: { data: evil } }))).not.toHaveProperty('a')
    expect(({} as Record<string, unknown>)['a']).toBeUndefined()
  })
})
