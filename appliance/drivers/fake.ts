import { z } from 'zod'
import { hardware } from '../../contract/hardware.ts'
import { bootDevice, type BootDevice } from '../../contract/resources.ts'
import type { ConsoleEars, ConsoleLine } from '../consoles/line.ts'
import { HardwareError } from '../hardware-error.ts'
import type { Bmc, ConnectBmc, DriverInfo, Stage } from './bmc.ts'

const imagined = z.object({
  power: z.enum(['power on', 'power off']),
  boot: z.object({ boot_device: bootDevice, persistent: z.boolean() }),
})
type Imagined = z.infer<typeof imagined>
const blank: Imagined = { power: 'power off', boot: { boot_device: 'pxe', persistent: false } }

/** Hardware type `fake-hardware` (reference §4.1): a machine that is nothing but a line in the ledger, and obeys after its delays. */
export const connectFake: ConnectBmc = async (driverInfo, stage) => bmcOf(driverInfo, stage)

/** It says what power is, and echoes. */
async function fakeConsole(power: () => string, ears: ConsoleEars): Promise<ConsoleLine> {
  setImmediate(() => ears.data(Buffer.from(`fake hardware, ${power()}\r\n`)))
  return {
    suspended: false,
    write(bytes) {
      ears.data(Buffer.from(Buffer.from(bytes).toString('latin1').replaceAll('\r', '\r\n'), 'latin1'))
      return bytes.length
    },
    sendBreak: () => ears.mark('break'),
    close: () => Promise.resolve(),
  }
}

function bmcOf(driverInfo: DriverInfo, { clock, delays, memory, signal }: Stage): Bmc {
  const state = (): Imagined => {
    const text = memory.read()
    // What another driver left for itself is none of ours.
    return (text === undefined ? undefined : imagined.safeParse(JSON.parse(text)).data) ?? blank
  }
  const become = (change: Partial<Imagined>): void => memory.write(JSON.stringify({ ...state(), ...change }))
  const pause = (kind: 'power' | 'management'): Promise<void> => clock.sleep(delays(kind, driverInfo), signal)
  return {
    more: { openConsole: (ears) => fakeConsole(() => state().power, ears) },
    power: async () => state().power,
    async control(action) {
      await pause('power')
      become({ power: action === 'off' || action === 'soft' ? 'power off' : 'power on' })
    },
    bootDevice: async () => state().boot,
    async setBootDevice(device: BootDevice, { persistent }) {
      const known: readonly BootDevice[] = hardware['fake-hardware'].bootDevices
      if (!known.includes(device))
        throw new HardwareError(`fake hardware has no boot device ${device}: ${known.join(', ')}`)
      await pause('management')
      become({ boot: { boot_device: device, persistent } })
    },
  }
}
