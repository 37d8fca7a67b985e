import { createSocket } from 'node:dgram'
import { expect, it, onTestFinished } from 'vitest'
import { bootDevice, type BootDevice } from '../../contract/resources.ts'
import { drivers as named, hardware, interfaceKinds, isAbsent } from '../../contract/hardware.ts'
import { steps as facts } from '../../contract/step-facts.ts'
import { stepNames } from '../../contract/step-arguments.ts'
import { steps } from '../plans/steps/table.ts'
import { HardwareError } from '../hardware-error.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import type { Stage } from './bmc.ts'
import { openDrivers } from './table.ts'

const stage: Stage = {
  clock: new ManualClock(),
  delays: () => 0,
  memory: { read: () => undefined, write: () => {} },
  signal: new AbortController().signal,
}

function open() {
  const opened = openDrivers()
  onTestFinished(() => opened.close())
  return opened.drivers
}

it('has an implementation of every driver that the catalogue names, and no other', () => {
  const drivers = open()
  expect(Object.keys(drivers).toSorted()).toEqual([...named].toSorted())
  for (const driver of named) expect(drivers[driver], driver).toBeTypeOf('function')
})

it('runs every step that a plan can name, and the catalogue has its facts', () => {
  // It stands for another step, of another node.
  const runnable = stepNames.filter((name) => name !== 'plan.on_node')
  expect(Object.keys(steps).toSorted()).toEqual(runnable.toSorted())
  expect(Object.keys(facts).toSorted()).toEqual(stepNames.toSorted())
  for (const name of runnable) expect(steps[name], name).toBeTypeOf('function')
})

it.each(named)('%s: every interface that is there has steps or is done without any', (driver) => {
  // What a site does for these needs no step of its own: they decide how other steps go, or there is nothing to do.
  const withoutSteps = ['network', 'storage', 'console', 'vendor']
  for (const kind of interfaceKinds) {
    const there = hardware[driver].interfaces[kind].some((name) => !isAbsent(name))
    const has = stepNames.some((name) => name.startsWith(`${kind}.`))
    expect(!there || has || withoutSteps.includes(kind), kind).toBe(true)
  }
})

it('names no step of an interface that no driver has', () => {
  // Reserved names, such as plan.hold, are about the plan and not about hardware.
  for (const name of stepNames.filter((each) => !each.startsWith('plan.'))) {
    const kind = interfaceKinds.find((each) => name.startsWith(`${each}.`))
    const there = named.some((driver) => kind && hardware[driver].interfaces[kind].some((one) => !isAbsent(one)))
    expect(there, name).toBe(true)
  }
})

it.each(named)('%s: every property that the catalogue requires is one that the driver asks for', async (driver) => {
  const complete = { ipmi_address: '127.0.0.1', ipmi_port: 1 }
  for (const property of hardware[driver].required) {
    const without = Object.fromEntries(Object.entries(complete).filter(([key]) => key !== property))
    const bmc = await open()[driver](without, stage)
    await expect(bmc.power()).rejects.toThrow(`driver_info/${property} can't be used`)
  }
})

it.each(named)('%s: boot devices beyond the catalogue are refused by name', async (driver) => {
  const beyond = bootDevice.options.filter(
    (device: BootDevice) => !hardware[driver].bootDevices.includes(device as never),
  )
  const bmc = await open()[driver]({ ipmi_address: '127.0.0.1', ipmi_port: 1 }, stage)
  for (const device of beyond) {
    const refused = bmc.setBootDevice(device, { persistent: false, uefi: true })
    await expect(refused, device).rejects.toThrow(device)
    await expect(refused, device).rejects.toBeInstanceOf(HardwareError)
  }
})

it('closes in a few seconds, also while a BMC is being asked in vain', async () => {
  const silent = createSocket('udp4')
  await new Promise<void>((resolve) => void silent.bind(0, '127.0.0.1', resolve))
  onTestFinished(() => void silent.close())
  const { drivers, close } = openDrivers()
  const bmc = await drivers.ipmi({ ipmi_address: '127.0.0.1', ipmi_port: silent.address().port }, stage)
  const asked = bmc.power().catch((error: Error) => error.message)
  await close()
  expect(await Promise.race([asked, Promise.resolve('still silent')])).toBe('still silent')
})
