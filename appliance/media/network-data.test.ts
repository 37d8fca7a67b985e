import { expect, it } from 'vitest'
import { networkLines } from './network-data.ts'

const links = [{ id: 'l', type: 'phy', ethernet_mac_address: '52:54:00:AA:00:01' }]
const mac = '52:54:00:aa:00:01'

it('addresses, routes and name servers of both families become lines', () => {
  const lines = networkLines({
    links,
    networks: [
      {
        type: 'ipv4',
        link: 'l',
        ip_address: '10.0.0.5',
        netmask: '255.255.252.0',
        gateway: '10.0.0.1',
        routes: [{ network: '10.9.0.0', netmask: '255.255.0.0', gateway: '10.0.0.2' }],
        services: [{ type: 'dns', address: '10.0.0.53' }],
      },
      { type: 'ipv6', link: 'l', ip_address: '2001:db8::5', netmask: 'ffff:ffff:ffff:ffff::', gateway: '2001:db8::1' },
      { type: 'ipv6', link: 'l', ip_address: '2001:db8:1::5/48' },
      { type: 'ipv4_dhcp', link: 'l' },
    ],
    services: [
      { type: 'dns', address: '10.0.0.53' },
      { type: 'ntp', address: '10.0.0.1' },
    ],
  })
  expect(lines.split('\n')).toEqual([
    `address ${mac} 10.0.0.5/22`,
    `route ${mac} 0.0.0.0/0 10.0.0.1`,
    `route ${mac} 10.9.0.0/16 10.0.0.2`,
    `address ${mac} 2001:db8::5/64`,
    `route ${mac} ::/0 2001:db8::1`,
    `address ${mac} 2001:db8:1::5/48`,
    'dns 10.0.0.53',
    '',
  ])
})

it.each([undefined, {}])('%j: nothing is static', (data) => expect(networkLines(data)).toBe(''))

const network = { type: 'ipv4', link: 'l', ip_address: '10.0.0.5', netmask: '24' }
it.each([
  [{ links, networks: [{ ...network, link: 'none' }], services: [] }, /names no link/],
  [{ links: [{ ...links[0], type: 'bond' }], networks: [network], services: [] }, /can't use link l of type bond/],
  [{ links, networks: [{ ...network, ip_address: '10.0.0.5; reboot' }], services: [] }, /no address of ipv4/],
  [{ links, networks: [{ ...network, netmask: '255.0.255.0' }], services: [] }, /netmask/],
  [{ links, networks: [{ ...network, netmask: '33' }], services: [] }, /33 netmask/],
  [{ links, networks: [{ ...network, gateway: '$(reboot)' }], services: [] }, /networks\/0\/gateway: is no IP address/],
  [{ links: [{ ...links[0], ethernet_mac_address: 'x' }], networks: [], services: [] }, /is no MAC address/],
  [{ links: 7 }, /network_data\/links/],
])('%j is refused with what is wrong', (data, why) => {
  expect(() => networkLines(data as Record<string, unknown>)).toThrow(why)
})
