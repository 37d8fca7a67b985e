import type { Inventory } from '@bloomery/ipmi/bmc-options.ts'
import { drawn, fanRaw, fruBytes, records } from '@bloomery/ipmi/testing/paper-inventory.ts'
import type { Vitals } from '@bloomery/redfish/service/machine.ts'

/** The inlet's thresholds, as its record has them: raw is twice what lies above -10 °C. */
const [NON_CRITICAL, CRITICAL] = [50, 55]
const [UPPER_NON_CRITICAL, UPPER_CRITICAL] = [0x08, 0x18]
const [PRESENT, INPUT_LOST] = [0x01, 0x08]

/** The sensors of a paper machine's IPMI BMC: what a Redfish BMC would tell, in the other words. */
export function inventoryOf(vitals: Vitals): Partial<Inventory> {
  const reads = [
    (): Read => {
      const celsius = vitals.inletCelsius ?? 21
      const states = celsius >= CRITICAL ? UPPER_CRITICAL : celsius >= NON_CRITICAL ? UPPER_NON_CRITICAL : 0
      return { raw: (celsius + 10) * 2, states }
    },
    (): Read => ({ raw: fanRaw, states: 0 }),
    (): Read => ({ raw: 0, states: vitals.inputLost ? PRESENT | INPUT_LOST : PRESENT }),
    (): Read => undefined,
  ]
  const sensors = records.map((record, at) => ({ record, read: () => Promise.resolve(reads[at]?.()) }))
  return { sensors, fru: fruBytes(), power: () => Promise.resolve(drawn) }
}

type Read = { raw: number; states: number } | undefined
