import type { Chassis } from './bmc-options.ts'
import {
  bootFlags,
  bootInitiatorAcknowledge,
  servicePartitionScan,
  servicePartitionSelector,
  setInProgress,
  validBitClearing,
} from './boot-parameters.ts'
import type { Clock } from './clock.ts'
import { decodeWith, encodeWith } from './command.ts'
import type { Parameter } from './parameter.ts'

/** IPMI 2.0 table 28-14, parameter 3 bit 3. */
const UNCONTROLLED_MS = 60_000
const plain: readonly Parameter<unknown>[] = [
  setInProgress,
  servicePartitionSelector,
  servicePartitionScan,
  validBitClearing,
]
const acknowledge = bootInitiatorAcknowledge

/** The system boot options as a BMC keeps them. The flags themselves live in the chassis, where the firmware reads them. */
export class BootOptions {
  readonly #chassis: Chassis
  readonly #clock: Clock
  readonly #stored = new Map<number, Uint8Array>(plain.map(({ selector }) => [selector, Uint8Array.of(0)]))
  #acknowledged = 0
  readonly #locked = new Set<number>()
  /** When flags that no power command followed stop being valid. */
  #expires: number | undefined

  constructor(chassis: Chassis, clock: Clock) {
    this.#chassis = chassis
    this.#clock = clock
  }

  /** Undefined: there is no such parameter here. */
  async get(selector: number): Promise<{ locked: boolean; data: Uint8Array } | undefined> {
    const data = await this.#read(selector)
    return data && { locked: this.#locked.has(selector), data }
  }

  /** §28.12: no data means that only the lock changes. Malformed data are a WireError and change nothing. False: no
   * such parameter. */
  async set(selector: number, locked: boolean, data: Uint8Array): Promise<boolean> {
    if (!(await this.#read(selector))) return false
    if (data.length > 0) await this.#write(selector, data)
    if (locked) this.#locked.add(selector)
    else this.#locked.delete(selector)
    return true
  }

  /** A power command came: what was chosen is now for the firmware to use, however long that takes. */
  async controlled(): Promise<void> {
    await this.expire()
    this.#expires = undefined
  }

  async expire(): Promise<void> {
    if (this.#expires === undefined || this.#clock.now() < this.#expires || this.#keepsUncontrolled()) return
    this.#expires = undefined
    const flags = await this.#chassis.bootOptions.get()
    await this.#chassis.bootOptions.set({ ...flags, flags: { ...flags.flags, valid: false } })
  }

  async #read(selector: number): Promise<Uint8Array | undefined> {
    if (selector === acknowledge.selector) return Uint8Array.of(0, this.#acknowledged)
    if (selector !== bootFlags.selector) return this.#stored.get(selector)
    await this.expire()
    return encodeWith(bootFlags.data, await this.#chassis.bootOptions.get())
  }

  async #write(selector: number, data: Uint8Array): Promise<void> {
    if (selector === bootFlags.selector) {
      const flags = decodeWith(bootFlags.data, data)
      await this.#chassis.bootOptions.set(flags)
      this.#expires = flags.flags.valid ? this.#clock.now() + UNCONTROLLED_MS : undefined
    } else if (selector === acknowledge.selector) {
      const { mask, acknowledged } = decodeWith(acknowledge.data, data)
      this.#acknowledged = (this.#acknowledged & ~mask) | (acknowledged & mask)
    } else {
      const codec = plain.find((parameter) => parameter.selector === selector)?.data
      if (codec) this.#stored.set(selector, encodeWith(codec, decodeWith(codec, data)))
    }
  }

  #keepsUncontrolled(): boolean {
    const stored = this.#stored.get(validBitClearing.selector)
    return stored !== undefined && decodeWith(validBitClearing.data, stored).keep.withoutControlIn60s
  }
}
