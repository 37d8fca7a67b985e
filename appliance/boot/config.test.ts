import { expect, test } from 'vitest'
import { bootConfig } from './config.ts'

const subnet = { cidr: '10.1.0.0/24', interfaceAddress: '10.1.0.1', range: ['10.1.0.100', '10.1.0.199'] }
const config = { subnets: [subnet], nextServer: '10.1.0.1', files: {} }

test('a small configuration is filled up with what is safe', () => {
  expect(bootConfig.parse(config)).toMatchObject({
    unknownMachines: 'ignore',
    subnets: [{ network: 0x0a01_0000, prefix: 24, leaseSeconds: 3600, dns: [] }],
  })
})

test('the MACs of reservations may be written in any form', () => {
  const { reservations } = bootConfig.parse({ ...config, reservations: { '52-54-00-AB-CD-EF': '10.1.0.9' } })
  expect(reservations).toEqual({ '52:54:00:ab:cd:ef': '10.1.0.9' })
})

test('beside another server a subnet needs no range', () => {
  const { range: _, ...rest } = subnet
  const { subnets } = bootConfig.parse({ ...config, subnets: [{ ...rest, mode: 'proxy' }] })
  expect(subnets[0]).toMatchObject({ proxy: true })
})

test.each([
  [{ cidr: '10.1.0.7/24' }, 'its address has host bits'],
  [{ cidr: '10.1.0.0/31' }, 'is no network of at least 4 addresses'],
  [{ cidr: '10.1.0.300/24' }, 'is no network of at least 4 addresses'],
  [{ range: ['10.1.0.199', '10.1.0.100'] }, 'its range ends before it starts'],
  [{ range: ['10.1.0.100', '10.1.1.100'] }, 'its range is not inside it'],
  [{ interfaceAddress: '10.1.0.150' }, 'interfaceAddress is in its range'],
  [{ cidr: '10.0.0.0/8', range: ['10.2.0.0', '10.3.0.0'] }, 'more than 65536 addresses'],
  [{ range: undefined }, 'needs a range of addresses, or mode proxy'],
  [{ mode: 'proxy' }, 'another server has the range: leave it out'],
  [{ gateway: 'router' }, 'is not an IPv4 address'],
])('a subnet with %j is refused', (change, complaint) => {
  expect(() => bootConfig.parse({ ...config, subnets: [{ ...subnet, ...change }] })).toThrow(complaint)
})

test('transfers of TFTP have a range of ports, or one port, not both', () => {
  const tftp = { portRange: [50_000, 50_063], onePort: true }
  expect(() => bootConfig.parse({ ...config, tftp })).toThrow('has both onePort and portRange: choose one')
  expect(bootConfig.parse({ ...config, tftp: { onePort: true } }).tftp).toEqual({ onePort: true })
})

test('where one subnet names its interface, each that is ours must, and none behind a relay can', () => {
  const other = { cidr: '10.2.0.0/24', interfaceAddress: '10.2.0.1', range: ['10.2.0.100', '10.2.0.199'] }
  const relayed = { ...other, interfaceAddress: '10.1.0.1' }
  const parse = (...subnets: unknown[]) => bootConfig.parse({ ...config, subnets })
  const first = { ...subnet, interface: 'eth1.20' }
  expect(parse(first, { ...other, interface: 'eth1.30' }, { ...relayed, cidr: '10.2.0.0/24' }).subnets).toMatchObject([
    { device: 'eth1.20' },
    { device: 'eth1.30' },
    { device: undefined },
  ])
  expect(() => parse(first, other)).toThrow('subnet 10.2.0.0/24: another names its interface, so it must too')
  expect(() => parse(first, { ...relayed, interface: 'eth2' })).toThrow(
    'is behind a relay: it has no interface of ours',
  )
  expect(() => parse({ ...subnet, interface: 'eth1; reboot' })).toThrow('is no name of an interface')
})
