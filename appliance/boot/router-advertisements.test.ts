import { expect, test } from 'vitest'
import { bootConfig6 } from './config6.ts'
import { radvdConfig } from './router-advertisements.ts'

test('each attached link is advertised as managed, without a default route, and relayed links are not', () => {
  const { links } = bootConfig6.parse({
    address: 'fd00:80::1',
    links: [{ prefix: 'fd00:80::/64', interface: 'prov0' }, { prefix: 'fd00:81::/64' }],
  })
  const text = radvdConfig(links)
  expect(text.match(/interface/g)).toHaveLength(1)
  expect(text).toContain('interface prov0 {')
  expect(text).toContain('AdvManagedFlag on;')
  expect(text).toContain('AdvDefaultLifetime 0;')
  expect(text).toContain('prefix fd00:80::/64 { AdvOnLink on; AdvAutonomous off; };')
})
