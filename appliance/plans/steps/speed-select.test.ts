import { expect, test } from 'vitest'
import type { StepContext } from '../step.ts'
import { configureSpeedSelect } from './bmc.ts'

test('each processor is told the configuration, by the bytes that Ironic sends', async () => {
  const sent: (readonly number[])[] = []
  const sendRaw = (bytes: readonly number[]): Promise<Uint8Array> => {
    sent.push(bytes)
    return Promise.resolve(new Uint8Array(0))
  }
  const on = {
    plan: { machine: { driver: 'intel-ipmi' } },
    note: () => {},
    bmc: () => Promise.resolve({ more: { sendRaw } }),
  } as unknown as StepContext
  await configureSpeedSelect({ intel_speedselect_config: '0x02', socket_count: 2 }, on)
  expect(sent).toEqual([
    [0x2c, 0x41, 0x04, 0x00, 0x00, 0x02],
    [0x2c, 0x41, 0x04, 0x00, 0x01, 0x02],
  ])
})
