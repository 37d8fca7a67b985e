import { expect, it } from 'vitest'
import { bmcPlace } from './lan.ts'

type Table = Record<string, number[]>
/** A BMC that answers what is in the table, by network function, command and data, and else that it has no such command. */
const bmc = (table: Table) => ({
  ask: (netFn: number, command: number, data: readonly number[]) =>
    Promise.resolve(Buffer.from(table[[netFn, command, ...data].join(' ')] ?? [0xc1])),
})
const lan = (channel: number): Table => ({ [`6 66 ${channel}`]: [0, channel, 0x04, 0x01, 0, 0xf2, 0x1b, 0, 0, 0] })
const v6 = [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5]
const linkLocal = [0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]

it('tells the addresses of the first LAN channel that has one', async () => {
  const table = {
    ...lan(1),
    '12 2 1 3 0 0': [0, 0x11, 0, 0, 0, 0],
    ...lan(8),
    '12 2 8 3 0 0': [0, 0x11, 10, 30, 0, 5],
    '12 2 8 5 0 0': [0, 0x11, 0x52, 0x54, 0, 0xbb, 0, 1],
    '12 2 8 56 0 0': [0, 0x11, 0, 0x80, ...linkLocal, 64, 0],
    '12 2 8 56 1 0': [0, 0x11, 1, 0x80, ...v6, 64, 0],
  }
  expect(await bmcPlace(bmc(table))).toEqual({
    bmc_address: '10.30.0.5',
    bmc_v6address: '2001:db8::5',
    bmc_mac: '52:54:00:bb:00:01',
  })
})

it('is content with a dynamic IPv6 address alone', async () => {
  const table = { ...lan(2), '12 2 2 59 0 0': [0, 0x11, 0, 1, ...v6, 64, 0] }
  expect(await bmcPlace(bmc(table))).toMatchObject({ bmc_address: '0.0.0.0', bmc_v6address: '2001:db8::5' })
})

it.each<[string, Table]>([
  ['has no LAN', { '6 66 1': [0, 1, 0x05, 0, 0, 0, 0, 0, 0, 0] }],
  ['knows no command', {}],
  [
    'answers too little',
    { ...lan(1), '12 2 1 3 0 0': [0, 0x11, 10], '12 2 1 5 0 0': [0], '12 2 1 56 0 0': [0, 0x11, 0] },
  ],
])('says where nothing is, as ironic-python-agent does, of one that %s', async (_, table) => {
  expect(await bmcPlace(bmc(table))).toEqual({ bmc_address: '0.0.0.0', bmc_v6address: '::/0', bmc_mac: null })
})
