import { expect, test } from 'vitest'
import { mtuTo } from './mtu.ts'

const files: Record<string, string> = {
  '/proc/net/route': `Iface	Destination	Gateway 	Flags	RefCnt	Use	Metric	Mask		MTU	Window	IRTT
eth0	00000000	010200C0	0003	0	0	0	00000000	0	0	0
prov0	0000610A	00000000	0001	0	0	0	00FFFFFF	0	0	0
prov0	0000620A	0200610A	0003	0	0	0	00FFFFFF	1400	0	0
`,
  '/proc/net/ipv6_route': `00000000000000000000000000000000 00 00000000000000000000000000000000 00 fd000000000000000000000000000001 00000400 00000003 00000000 00000003     eth0
fd000097000000000000000000000000 40 00000000000000000000000000000000 00 00000000000000000000000000000000 00000100 00000002 00000000 00000001    prov0
`,
  '/sys/class/net/eth0/mtu': '1450\n',
  '/sys/class/net/prov0/mtu': '9000\n',
}
const read = (path: string): string => {
  const text = files[path]
  if (text === undefined) throw new Error(`no ${path}`)
  return text
}

test.each([
  ['10.97.0.7', 9_000, 'of the interface that it is at'],
  ['10.98.0.7', 1_400, 'of the route behind the relay, which has its own'],
  ['192.0.2.9', 1_450, 'of the default route'],
  ['fd00:97::7', 9_000, 'of the interface that it is at'],
  ['2001:db8::7', 1_450, 'of the default route'],
])('the way to %s is as wide as %i bytes: %s', (address, mtu) => {
  expect(mtuTo(address, read)).toBe(mtu)
})

test('where nothing tells of a way it is taken for Ethernet', () => {
  const nothing = (): string => {
    throw new Error('no /proc here')
  }
  expect([mtuTo('10.97.0.7', nothing), mtuTo('10.97.0.7', () => '')]).toEqual([1_500, 1_500])
})
