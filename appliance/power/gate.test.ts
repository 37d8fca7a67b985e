import { expect, it } from 'vitest'
import type { Bmc } from '../drivers/bmc.ts'
import { ManualClock, settled } from '../testing/manual-clock.ts'
import { machine } from '../testing/plans.ts'
import { bmcAddress } from './address.ts'
import { openGates } from './gate.ts'

/** Takes a second for each command, and tells how many it had at once. */
function slowBmc(clock: ManualClock, seen: { now: number; most: number; times: number[] }): Bmc {
  const command = async (): Promise<void> => {
    seen.now += 1
    seen.most = Math.max(seen.most, seen.now)
    seen.times.push(clock.now().getTime())
    await clock.sleep(1000)
    seen.now -= 1
  }
  return {
    power: () => command().then(() => 'power on' as const),
    control: () => command(),
    bootDevice: () => command().then(() => null),
    setBootDevice: () => command(),
    more: { injectNmi: command, users: () => command().then(() => []), updateFirmware: command },
  }
}

it('gives a BMC one command at a time, in order, and rests between them as it was told', async () => {
  const clock = new ManualClock()
  const seen = { now: 0, most: 0, times: [] as number[] }
  const gates = openGates(clock, 500)
  const bmc = gates.guard('10.0.0.1:623', slowBmc(clock, seen))
  const blade = gates.guard('10.0.0.1:623', slowBmc(clock, seen))
  void Promise.all([bmc.power(), bmc.control('on'), blade.power(), bmc.more!.injectNmi!(), blade.more!.users!()])
  expect(gates.isFree('10.0.0.1:623')).toBe(false)
  await clock.advance(60_000)
  expect(seen.most).toBe(1)
  expect(seen.times.map((at) => at - seen.times[0]!)).toEqual([0, 1500, 3000, 4500, 6000])
  expect(gates.isFree('10.0.0.1:623')).toBe(true)
})

it('lets commands to other BMCs, and what takes long, go beside', async () => {
  const clock = new ManualClock()
  const seen = { now: 0, most: 0, times: [] as number[] }
  const gates = openGates(clock, 0)
  const [one, other] = ['a', 'b'].map((address) => gates.guard(address, slowBmc(clock, seen)))
  void Promise.all([one!.power(), other!.power(), one!.more!.updateFirmware!('bmc', 'http://x', () => {})])
  await settled()
  expect(seen.most).toBe(3)
  await clock.advance(1000)
})

it('is free again after a command that failed, whose error is its own', async () => {
  const gates = openGates(new ManualClock(), 0)
  const bmc = gates.guard('a', { power: () => Promise.reject(new Error('silent')) } as unknown as Bmc)
  await expect(bmc.power()).rejects.toThrow('silent')
  await settled()
  expect(gates.isFree('a')).toBe(true)
})

it('refuses a command that hundreds wait before', async () => {
  const gates = openGates(new ManualClock(), 0)
  const bmc = gates.guard('10.0.0.1:623', { power: () => new Promise(() => {}) } as unknown as Bmc)
  for (let each = 0; each < 256; each += 1) void bmc.power()
  await expect(bmc.power()).rejects.toThrow('256 commands wait for the BMC 10.0.0.1:623 already; try again later')
})

it.each([
  [{ ipmi_address: 'BMC1.example' }, 'bmc1.example:623'],
  [{ ipmi_address: '10.0.0.1', ipmi_port: '6230' }, '10.0.0.1:6230'],
  [{ redfish_address: 'https://10.0.0.1/redfish/v1', redfish_system_id: 'Blade1' }, 'https://10.0.0.1'],
  [{ redfish_address: '10.0.0.1:8443' }, 'https://10.0.0.1:8443'],
])('knows where %j is', (driver_info, address) => {
  expect(bmcAddress(machine({ driver_info }))).toBe(address)
})

it('has a machine without a BMC be its own', () => {
  const of = machine({ driver_info: {} })
  expect(bmcAddress(of)).toBe(of.node)
})
