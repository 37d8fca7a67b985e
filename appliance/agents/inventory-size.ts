import { HardwareError } from '../hardware-error.ts'

type Json = Record<string, unknown>

/** A report has to fit into one message, with room to spare. */
const LIMIT = 48 * 1024
const essential = ['cpu', 'memory', 'boot', 'interfaces', 'disks', 'hostname', 'system_vendor', 'bmc_address']

/** As contract/messages.ts has it: a report that the cloud can't read would hold up all behind it. */
const LONGEST_KEY = 255

export function fitting(found: Json): Json {
  const inventory = readable(found)
  if (sizeOf(inventory) <= LIMIT) return inventory
  const least = Object.fromEntries(Object.entries(inventory).filter(([key]) => essential.includes(key)))
  if (sizeOf(least) <= LIMIT) return least
  throw new HardwareError(
    `the agent's inventory has ${sizeOf(inventory)} bytes, more than the ${LIMIT} that can be told`,
  )
}

/** As much of what came beside an inventory as there is room for, the small things first; archives of logs stay here. */
export function fittingBeside(inventory: Json, { logs: _logs, ...others }: Json): Json {
  let room = LIMIT - sizeOf(inventory)
  const bySize = Object.entries(readable(others)).toSorted(([, a], [, b]) => sizeOf(a) - sizeOf(b))
  const kept = bySize.filter(([key, value]) => {
    const size = sizeOf({ [key]: value })
    const fits = size <= room
    if (fits) room -= size
    return fits
  })
  return Object.fromEntries(kept)
}

function readable(object: Json): Json {
  return Object.fromEntries(Object.entries(object).filter(([key]) => key.length <= LONGEST_KEY))
}

function sizeOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value) ?? '')
}
