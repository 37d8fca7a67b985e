import { expect, it } from 'vitest'
import { openLedger } from '../ledger/ledger.ts'
import { openImagined } from '../ledger/imagined.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { openDelays } from './delays.ts'
import { connectFake } from './fake.ts'

const signal = new AbortController().signal

function stage(configured: Parameters<typeof openDelays>[0] = {}, node = 'a', ledger = openLedger(':memory:')) {
  const clock = new ManualClock()
  return { clock, delays: openDelays(configured, () => 0.5), memory: openImagined(ledger)(node), signal, ledger }
}

it('is off until it is switched on, and remembers that in the ledger', async () => {
  const first = stage()
  const bmc = await connectFake({}, first)
  expect(await bmc.power()).toBe('power off')
  const switched = bmc.control('on')
  await first.clock.advance(0)
  await switched
  expect(await bmc.power()).toBe('power on')
  expect(await (await connectFake({}, stage({}, 'a', first.ledger))).power()).toBe('power on')
  expect(await (await connectFake({}, stage({}, 'b', first.ledger))).power()).toBe('power off')
})

it('remembers its boot device', async () => {
  const on = stage()
  const bmc = await connectFake({}, on)
  const set = bmc.setBootDevice('disk', { persistent: true, uefi: true })
  await on.clock.advance(0)
  await set
  expect(await bmc.bootDevice()).toEqual({ boot_device: 'disk', persistent: true })
})

it('takes the time that the node, else the appliance says', async () => {
  for (const [info, configured, ms] of [
    [{}, { power_delay: { least: 2, most: 4 } }, 3000],
    [{ fake_power_delay: '10,20' }, { power_delay: { least: 2, most: 4 } }, 15_000],
    [{ fake_power_delay: 1.5 }, {}, 1500],
  ] as const) {
    const on = stage(configured)
    const bmc = await connectFake(info, on)
    const switched = bmc.control('on')
    await on.clock.advance(ms - 1)
    expect(await bmc.power()).toBe('power off')
    await on.clock.advance(1)
    await switched
    expect(await bmc.power()).toBe('power on')
  }
})

it('holds up nobody when the appliance goes down', async () => {
  const down = new AbortController()
  const bmc = await connectFake({ fake_power_delay: 3600 }, { ...stage(), signal: down.signal })
  const switched = bmc.control('on')
  down.abort(new Error('going down'))
  await expect(switched).rejects.toThrow('going down')
  expect(await bmc.power()).toBe('power off')
})
