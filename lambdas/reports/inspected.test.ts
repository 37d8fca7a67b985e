import { expect, it } from 'vitest'
import { inventorySchema, linksFound, portsFound, withFound } from './inspected.ts'

const agent = {
  cpu: { count: 8, architecture: 'x86_64', model_name: 'paper' },
  memory: { total: 1, physical_mb: 16_384 },
  boot: { current_boot_mode: 'uefi', pxe_interface: '01-52-54-00-AA-00-01' },
  disks: [{ size: 100 * 1024 ** 3 }, { size: 50 * 1024 ** 3 }],
  interfaces: [{ mac_address: '52:54:00:AA:00:01' }, { mac_address: '52:54:00:aa:00:02' }, { mac_address: 'lo' }],
}
const blank = { cpu: {}, memory: {}, boot: {}, disks: [], interfaces: [] }
const found = (inventory: Record<string, unknown>) => inventorySchema.parse({ ...blank, ...inventory })

it('fills in the properties that schedulers read, and keeps the others', () => {
  const properties = { cpus: 1, vendor: 'paper', capabilities: 'boot_mode:bios,gpu:yes' }
  expect(withFound(properties, found(agent))).toEqual({
    vendor: 'paper',
    cpu_arch: 'x86_64',
    cpus: 8,
    memory_mb: 16_384,
    local_gb: 99,
    capabilities: 'gpu:yes,boot_mode:uefi',
  })
})

it('leaves alone what the machine does not say, or says wrongly', () => {
  expect(withFound({ cpus: 1 }, found({ cpu: { count: 'many' }, memory: null, disks: 'none', boot: 7 }))).toEqual({
    cpus: 1,
  })
})

it('makes a port of the card that booted; of all cards where none is known to have', () => {
  expect(portsFound(found(agent))).toEqual([{ address: '52:54:00:aa:00:01', pxe_enabled: true }])
  const unknown = found({ ...agent, boot: {} })
  expect(portsFound(unknown).map(({ address }) => address)).toEqual(['52:54:00:aa:00:01', '52:54:00:aa:00:02'])
})

it('knows by LLDP where cards are plugged in; what is no LLDP is passed over', () => {
  const lldp = [
    [1, '04112233aabbcc'],
    [2, '0573776931'],
  ]
  const interfaces = [
    { name: 'eth0', mac_address: '52:54:00:AA:00:01', lldp },
    { name: 'eth1', mac_address: '52:54:00:aa:00:02', lldp: [[1, 'nonsense']] },
    { name: 'eth2', mac_address: '52:54:00:aa:00:03', lldp: null },
  ]
  expect([...linksFound(found({ ...agent, interfaces }))]).toEqual([
    ['52:54:00:aa:00:01', { switch_id: '11:22:33:aa:bb:cc', port_id: 'swi1' }],
  ])
})
