import { expect, test } from 'vitest'
import type { Machine } from '../../contract/plan.ts'
import type { Drivers } from '../drivers/table.ts'
import { findConsole } from './find-console.ts'
import { ManualClock } from '../testing/manual-clock.ts'

const node = '1be26c0b-03f2-4d2e-ae87-c02d7f33c123'
const ears = { data: () => {}, mark: () => {}, lost: () => {} }

/** Which driver was asked for the console, with what of driver_info. */
async function opens(driver: string, console: string | null, driver_info = {}): Promise<string> {
  const asked: string[] = []
  const drivers = new Proxy({} as Drivers, {
    get: (_, name) => async (info: Record<string, unknown>) => ({
      more: {
        openConsole: () => {
          asked.push(`${String(name)} ${Object.keys(info).join(' ')}`)
          return Promise.resolve({ write: () => 0, sendBreak: () => {}, suspended: false, close: async () => {} })
        },
      },
    }),
  })
  const machine = { node, driver, interfaces: { console }, driver_info } as unknown as Machine
  const open = findConsole({
    machines: { get: () => ({ machine, generation: 1, powerState: null }) },
    identity: { uuid: node, sealingKey: '' },
    drivers,
    clock: new ManualClock(),
    delays: () => 0,
    hostKeys: { get: () => undefined, set: () => {} },
    imagined: () => ({ read: () => undefined, write: () => {} }),
  })(node)
  await open?.(ears)
  return asked.join() || 'none'
}

test.each([
  ['ipmi', 'ipmitool-socat', { ipmi_address: 'b' }, 'ipmi ipmi_address'],
  ['ipmi', 'ipmitool-shellinabox', { ipmi_address: 'b' }, 'ipmi ipmi_address'],
  ['redfish', 'ipmitool-socat', { redfish_address: 'a', ipmi_address: 'b' }, 'ipmi redfish_address ipmi_address'],
  ['redfish', 'no-console', {}, 'none'],
  ['ipmi', null, {}, 'none'],
  ['fake-hardware', 'fake', {}, 'fake-hardware '],
])('%s with %s: the console is opened by %s', async (driver, console, info, asked) => {
  expect(await opens(driver, console, info)).toBe(asked)
})
