import type { BootDevice } from '../../contract/resources.ts'
import type { Clock } from '../clock.ts'
import type { Delays } from './delays.ts'

/** What the product needs of a BMC, whatever it speaks. Every method has its own deadline and rejects with HardwareError. */
export interface Bmc {
  power(): Promise<'power on' | 'power off'>
  control(action: PowerAction): Promise<void>
  bootDevice(): Promise<{ boot_device: BootDevice; persistent: boolean } | null>
  setBootDevice(device: BootDevice, options: { persistent: boolean; uefi: boolean }): Promise<void>
}
export type PowerAction = 'on' | 'off' | 'soft' | 'reset'

/** What a driver is told: driver_info with its secrets opened. Never logged, never kept longer than the connection. */
export type DriverInfo = Record<string, unknown>

/** What imagined hardware is made of; real BMCs need none of it. */
export interface Stage {
  clock: Clock
  delays: Delays
  memory: Memory
  /** The appliance is going down. */
  signal: AbortSignal
}

/** What outlives the appliance's crash, of one machine. */
export interface Memory {
  read(): string | undefined
  write(state: string): void
}

export type ConnectBmc = (driverInfo: DriverInfo, stage: Stage) => Promise<Bmc>
