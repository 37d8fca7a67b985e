import { expect, it } from 'vitest'
import { fitting, fittingBeside } from './inventory-size.ts'

const least = { cpu: { count: 4 }, interfaces: [{ mac_address: '52:54:00:00:00:01' }] }

it('tells an inventory whole where it fits into a report', () => {
  expect(fitting({ ...least, numa: 'x' })).toEqual({ ...least, numa: 'x' })
})

it('leaves out what nobody schedules by where it does not', () => {
  expect(fitting({ ...least, lldp_raw: 'x'.repeat(60_000) })).toEqual(least)
})

it('says how much it is when even the least is too much', () => {
  expect(() => fitting({ disks: 'x'.repeat(60_000) })).toThrow(/has 600\d\d bytes/)
})

it('tells what came beside it as far as there is room, the small things first, and never logs', () => {
  const beside = { big: 'x'.repeat(60_000), root_disk: { name: '/dev/sda' }, logs: 'tar', half: 'x'.repeat(30_000) }
  expect(Object.keys(fittingBeside(least, beside))).toEqual(['root_disk', 'half'])
})

it('leaves out keys that the cloud would not read, with all that is told beside them', () => {
  const long = { ['k'.repeat(256)]: 1 }
  expect(fitting({ ...least, ...long })).toEqual(least)
  expect(fittingBeside(least, { ...long, a: 1 })).toEqual({ a: 1 })
})
