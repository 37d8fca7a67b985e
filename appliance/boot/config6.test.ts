import { expect, test } from 'vitest'
import { bootConfig6 } from './config6.ts'

const link = { prefix: 'fd00:80::/64', interface: 'prov0' }
const config = { address: 'fd00:80::1', links: [link] }

test('a small configuration is filled up with what is usual', () => {
  expect(bootConfig6.parse(config)).toMatchObject({
    routerAdvertisements: true,
    links: [{ leaseSeconds: 3_600, dns: [] }],
  })
})

test.each([
  [{ prefix: 'fd00:80::/48' }, 'is not a /64'],
  [{ prefix: 'fd00:80::7/64' }, 'is no IPv6 network'],
  [{ prefix: '10.0.0.0/64' }, 'is no IPv6 network'],
  [{ interface: 'a b' }, 'is no name of an interface'],
  [{ dns: ['10.0.0.1'] }, 'is not an IPv6 address'],
])('a link with %j is refused', (change, complaint) => {
  expect(() => bootConfig6.parse({ ...config, links: [{ ...link, ...change }] })).toThrow(complaint)
})
