import { HardwareError } from '../../hardware-error.ts'
import type { StepRunner } from '../step.ts'
import { isFake, pause } from './fake.ts'

/** A report has to fit into one message, with room to spare. */
const LIMIT = 48 * 1024
const essential = ['cpu', 'memory', 'boot', 'interfaces', 'disks', 'hostname', 'system_vendor', 'bmc_address']

/** In-band: the agent is asked, instead of its being told where to post (reference §3.11). */
export const inspectHardware: StepRunner<'inspect.inspect_hardware'> = async (_args, on) => {
  if (isFake(on, 'inspect')) return pause(on, 'inspect')
  on.note('reading the inventory')
  on.found(fitting(await on.agents.call(on, 'poll.get_hardware_info', {})))
}

export function fitting(inventory: Record<string, unknown>): Record<string, unknown> {
  if (sizeOf(inventory) <= LIMIT) return inventory
  const least = Object.fromEntries(Object.entries(inventory).filter(([key]) => essential.includes(key)))
  if (sizeOf(least) <= LIMIT) return least
  throw new HardwareError(
    `the agent's inventory has ${sizeOf(inventory)} bytes, more than the ${LIMIT} that can be told`,
  )
}

function sizeOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value))
}
