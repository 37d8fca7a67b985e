import type { Connection } from '../../../contract/plan.ts'
import { HardwareError } from '../../hardware-error.ts'
import type { StepContext, StepRunner } from '../step.ts'

/** Each port of a switch is moved to its VLAN and read back; where one can't be, those moved before go back to where they were. What that was
 * is journalled first, so that a life that was cut off between two ports doesn't take its own work for it. */
export const plug: StepRunner<'network.plug'> = async ({ connections }, on) => {
  const moved: Connection[] = []
  try {
    for (const connection of connections) {
      moved.push(connection)
      await move(connection, on)
    }
  } catch (error) {
    throw new HardwareError(`${textOf(error)}${await putBack(moved, on)}`)
  }
}

async function move({ switch: name, port, vlan }: Connection, on: StepContext): Promise<void> {
  const { device } = deviceOf(name, on)
  on.note(`moving port ${port} of switch ${name} to VLAN ${vlan}`)
  const key = memoKey(name, port)
  try {
    const now = await device.vlanOf(port, on.signal)
    if (on.memo.get(key) === undefined) on.memo.set(key, JSON.stringify(now))
    if (now !== vlan) await device.setVlan(port, vlan, on.signal)
  } catch (error) {
    throw new HardwareError(`VLAN ${vlan} for port ${port} of switch ${name}: ${textOf(error)}`)
  }
}

const PUT_BACK_MS = 180_000

/** With a deadline of its own: that of the step may be what ended it. Returns what to say of it. */
async function putBack(moved: readonly Connection[], on: StepContext): Promise<string> {
  const signal = AbortSignal.timeout(PUT_BACK_MS)
  const stuck: string[] = []
  for (const { switch: name, port } of moved.toReversed()) {
    const before = on.memo.get(memoKey(name, port))
    if (before === undefined) continue
    const { device } = deviceOf(name, on)
    const vlan = JSON.parse(before) as number | null
    await device.setVlan(port, vlan, signal).catch(() => stuck.push(`${name}/${port} (was in ${vlan ?? 'no'} VLAN)`))
  }
  if (stuck.length > 0) return `. Not put back: ${stuck.join(', ')}: do that by hand`
  return moved.length > 1 ? '. The ports that had been moved are where they were' : ''
}

function deviceOf(name: string, on: StepContext): NonNullable<ReturnType<StepContext['switches']['find']>> {
  const found = on.switches.find(name)
  if (found) return found
  const known = on.switches.names()
  throw new HardwareError(
    `this appliance knows no switch ${name}: ${known.length === 0 ? 'it has none' : `it has ${known.join(', ')}`}; add it to switches in its configuration, or correct local_link_connection`,
  )
}

const memoKey = (name: string, port: string): string => `before ${name} ${port}`
const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
