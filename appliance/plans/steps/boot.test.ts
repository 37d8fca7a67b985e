import { expect, it } from 'vitest'
import type { Bmc } from '../../drivers/bmc.ts'
import type { StepContext } from '../step.ts'
import { machine, plan } from '../../testing/plans.ts'
import { prepareInstance, prepareRamdisk, setBootDevice } from './boot.ts'

/** What the BMC is told by a step. */
async function told(force: unknown, act: (on: StepContext) => Promise<void>): Promise<unknown[]> {
  const of = machine({ driver_info: force === undefined ? {} : { force_persistent_boot_device: force } })
  const calls: unknown[] = []
  const bmc: Partial<Bmc> = {
    setBootDevice: async (device, { persistent }) => void calls.push(device, persistent),
  }
  await act({
    plan: plan(of, 1, []),
    note: () => {},
    observed: () => {},
    bmc: async () => bmc as Bmc,
    agents: { wipe: () => {} },
    machines: { setBoot: () => {} },
    ramdiskCommandLine: '',
  } as unknown as StepContext)
  return calls
}

it.each([
  [undefined, false, true],
  ['Default', false, true],
  ['Always', true, true],
  ['Never', false, false],
  [true, true, true],
])('force_persistent_boot_device %s: network boot persists: %s, disk boot: %s', async (force, network, disk) => {
  expect(await told(force, (on) => prepareRamdisk({}, on))).toEqual(['pxe', network])
  expect(await told(force, (on) => prepareInstance({}, on))).toEqual(['disk', disk])
})

it('what a person asks for is done as asked', async () => {
  const act = (on: StepContext) => setBootDevice({ device: 'cdrom', persistent: false }, on)
  expect(await told('Always', act)).toEqual(['cdrom', false])
})
