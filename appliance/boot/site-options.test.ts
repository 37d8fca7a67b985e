import { expect, test } from 'vitest'
import { ipv4FromText as ip } from '@bloomery/wire/address.ts'
import { bootConfig } from './config.ts'
import { siteOptions } from './site-options.ts'

const subnet = {
  cidr: '10.1.0.0/24',
  interfaceAddress: '10.1.0.1',
  range: ['10.1.0.100', '10.1.0.199'],
  gateway: '10.1.0.254',
  routes: [
    { to: '10.9.128.0/17', via: '10.1.0.2' },
    { to: '192.0.2.7/32', via: '10.1.0.3' },
  ],
  options: { 114: 'text:http://10.1.0.1/onie', 125: '00:00:01:37', 43: '0104aabbccdd' },
}
const parse = (more: object = {}) =>
  bootConfig.parse({ subnets: [{ ...subnet, ...more }], nextServer: '10.1.0.1', files: {} }).subnets[0]
const hex = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString('hex')

test('a client gets what it asks for of what the site has to say, and nothing else', () => {
  const all = siteOptions(parse(), Uint8Array.of(1, 3, 43, 114, 121, 125, 150), ip('10.1.0.1'))
  expect(Object.fromEntries([...all].map(([code, value]) => [code, hex(value)]))).toEqual({
    43: '0104aabbccdd',
    114: Buffer.from('http://10.1.0.1/onie').toString('hex'),
    // /17 in three bytes, a host in four, the default route in none.
    121: '110a09800a01000220c00002070a010003000a0100fe',
    125: '00000137',
    150: '0a010001',
  })
  expect([...siteOptions(parse(), Uint8Array.of(1, 3, 6), ip('10.1.0.1')).keys()]).toEqual([])
  expect([...siteOptions(parse(), undefined, ip('10.1.0.1')).keys()]).toEqual([])
  expect([...siteOptions(parse({ routes: [] }), Uint8Array.of(121, 150), undefined).keys()]).toEqual([])
})

test.each([
  [{ options: { 51: '00000e10' } }, 'option 51 is said by the appliance itself'],
  [{ options: { 255: '00' } }, 'is no option of DHCP'],
  [{ options: { 114: 'http://x' } }, 'neither hex nor text'],
  [{ routes: [{ to: '10.9.0.1/16', via: '10.1.0.2' }] }, 'has host bits'],
  [{ routes: [{ to: '10.9.0.0/16', via: '10.2.0.2' }] }, 'is not in this subnet'],
])('%j is refused: %s', (more, why) => {
  expect(() => parse(more)).toThrow(why)
})
