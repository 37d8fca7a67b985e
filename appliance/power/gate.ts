import type { Clock } from '../clock.ts'
import type { Bmc, BmcManagement } from '../drivers/bmc.ts'
import { HardwareError } from '../hardware-error.ts'
import type { Ask } from '../health/look.ts'

/** One command at a time to each BMC, whoever gives it: several at once make many of them forget one, or restart. */
export interface Gates {
  /** The same BMC behind its gate. */
  guard(address: string, bmc: Bmc): Bmc
  /** Nobody is talking to it, nor has just done. */
  isFree(address: string): boolean
}

/** The nodes of a chassis share a gate. */
const MOST_WAITING = 256

/** Those that end soon. What takes minutes (firmware, volumes, streams) leaves the BMC free between its requests. */
const short: readonly (keyof BmcManagement)[] = [
  'injectNmi',
  'setBootMode',
  'setSecureBoot',
  'setIndicator',
  'attachMedia',
  'bootFromUrl',
  'detachMedia',
  'biosDifferences',
  'setBios',
  'resetBios',
  'readRaid',
  'resetBmc',
  'setClock',
  'resetSecureBootKeys',
  'users',
  'clearJobQueue',
  'resetIdrac',
  'inspect',
  'readHardware',
]

export function openGates(clock: Clock, intervalMs: number): Gates {
  const gates = new Map<string, { last: Promise<void>; waiting: number }>()
  const rest = (): Promise<void> => (intervalMs > 0 ? clock.sleep(intervalMs) : Promise.resolve())

  function run<T>(address: string, work: () => Promise<T>): Promise<T> {
    const gate = gates.get(address) ?? { last: Promise.resolve(), waiting: 0 }
    if (gate.waiting >= MOST_WAITING)
      return Promise.reject(
        new HardwareError(`${gate.waiting} commands wait for the BMC ${address} already; try again later`),
      )
    gates.set(address, gate)
    gate.waiting += 1
    const turn = gate.last.then(work)
    gate.last = turn
      .then(rest, rest)
      .catch(() => {})
      .then(() => {
        gate.waiting -= 1
        if (gate.waiting === 0) gates.delete(address)
      })
    return turn
  }

  function guardMore(address: string, more: Partial<BmcManagement>): Partial<BmcManagement> {
    const guarded: Record<string, unknown> = { ...more }
    for (const name of short) {
      const part = more[name]
      if (typeof part !== 'function') continue
      guarded[name] = (...given: unknown[]) =>
        run(address, () => Reflect.apply(part as (...given: unknown[]) => Promise<unknown>, more, given))
    }
    const { readHealth } = more
    // A look takes many questions: each has its turn, and the BMC is free between them.
    if (readHealth)
      guarded['readHealth'] = (kept: string | null, ask: Ask) =>
        readHealth(kept, (question) => ask(() => run(address, question)))
    return guarded
  }

  return {
    isFree: (address) => !gates.has(address),
    guard: (address, bmc) => ({
      power: () => run(address, () => bmc.power()),
      control: (action) => run(address, () => bmc.control(action)),
      bootDevice: () => run(address, () => bmc.bootDevice()),
      setBootDevice: (device, options) => run(address, () => bmc.setBootDevice(device, options)),
      ...(bmc.more && { more: guardMore(address, bmc.more) }),
    }),
  }
}
