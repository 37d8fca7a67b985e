import { WireError } from '@bloomery/wire/error.ts'
import { bits, type Codec, struct, uint16, uint8 } from './fields.ts'
import { parameter } from './parameter.ts'

/** IPMI 2.0 table 26-5: the SOL configuration of a channel. */
export const solSetInProgress = parameter(0, struct({ state: bits({ phase: [0, 2] }) }))
export const solEnable = parameter(1, struct({ state: bits({ enabled: 0 }) }))
/** The least privilege that may activate SOL, and whether only a protected session may. */
export const solAuthentication = parameter(
  2,
  struct({ need: bits({ privilege: [0, 4], authentication: 6, encryption: 7 }) }),
)

const unitsOf = (unit: number, least = 0): Codec<number> => ({
  read: (reader) => reader.u8() * unit,
  write: (writer, ms) => {
    const units = Math.round(ms / unit)
    if (!(units >= least && units <= 255))
      throw new RangeError(`${ms} ms is not between ${least * unit} and ${255 * unit}`)
    writer.u8(units)
  },
})

/** How long the BMC gathers characters, in 5 ms, and how many of them it sends at once without waiting longer. */
export const solAccumulation = parameter(3, struct({ intervalMs: unitsOf(5, 1), threshold: uint8 }))
/** How often, and after how many 10 ms, the BMC repeats a packet that was not acknowledged. */
export const solRetry = parameter(4, struct({ retries: bits({ count: [0, 3] }), intervalMs: unitsOf(10) }))

/** 0 is whatever the serial port is set to. */
const bitRates = new Map([
  [0, 0],
  [6, 9600],
  [7, 19_200],
  [8, 38_400],
  [9, 57_600],
  [10, 115_200],
])

const bitRate: Codec<number> = {
  read: (reader) => {
    const code = reader.u8() & 0x0f
    const rate = bitRates.get(code)
    if (rate === undefined) throw new WireError(`${code} is no bit rate of a serial port`)
    return rate
  },
  write: (writer, rate) => {
    const found = [...bitRates].find(([, each]) => each === rate)
    if (!found) throw new RangeError(`${rate} bit/s is none of ${[...bitRates.values()].join(', ')}`)
    writer.u8(found[0])
  },
}

export const solKeptBitRate = parameter(5, bitRate)
export const solBitRate = parameter(6, bitRate)
/** Read only: the channel whose configuration SOL has. */
export const solChannel = parameter(7, uint8)
export const solPort = parameter(8, uint16)
