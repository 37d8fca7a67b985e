import { expect, test } from 'vitest'
import { ipv4FromText } from '@bloomery/wire/address.ts'
import { hostAt, neighbour } from './occupied.ts'

const table = `IP address       HW type     Flags       HW address            Mask     Device
10.1.0.7         0x1         0x2         52:54:00:12:34:56     *        prov0
10.1.0.8         0x1         0x0         00:00:00:00:00:00     *        prov0
10.1.0.9         0x1         0x6         52:54:00:12:34:57     *        prov0
`

test.each([
  ['10.1.0.7', '52:54:00:12:34:56'],
  ['10.1.0.9', '52:54:00:12:34:57'],
  ['10.1.0.8', undefined],
  ['10.1.0.1', undefined],
])('the neighbour at %s is %s', (address, mac) => {
  expect(neighbour(table, address)).toBe(mac)
})

test('a host that refuses a datagram is there', async () => {
  expect(await hostAt(ipv4FromText('127.0.0.1'), 500)).toBe('a host')
})
