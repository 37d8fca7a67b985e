import type { Connection, TrunkConnection } from '../../../contract/switch-doors.ts'
import { HardwareError } from '../../hardware-error.ts'
import type { Switch, Vlans } from '../../switches/switch.ts'
import type { StepContext } from '../step.ts'

type Asked = Connection | TrunkConnection

/** Each port of a switch is moved to its VLANs and read back; where one can't be, those moved before go back to where they were. What that was
 * is journalled first, so that a life that was cut off between two ports doesn't take its own work for it. */
export async function plug({ connections }: { connections: readonly Asked[] }, on: StepContext): Promise<void> {
  const moved: Asked[] = []
  try {
    for (const connection of connections) {
      moved.push(connection)
      await move(connection, on)
    }
  } catch (error) {
    throw new HardwareError(`${textOf(error)}${await putBack(moved, on)}`)
  }
}

async function move(asked: Asked, on: StepContext): Promise<void> {
  const { switch: name, port, vlan } = asked
  const tagged = 'tagged' in asked ? asked.tagged : []
  const wanted = tagged.length === 0 ? `VLAN ${vlan}` : `VLANs ${vlan} and, with tags, ${tagged.join(', ')}`
  const device = deviceOf(name, on)
  on.note(`moving port ${port} of switch ${name} to ${wanted}`)
  const key = memoKey(name, port)
  try {
    const now = await device.vlansOf(port, on.signal)
    if (on.memo.get(key) === undefined) on.memo.set(key, JSON.stringify(now))
    const isThere = now.tagged.length === tagged.length && tagged.every((each) => now.tagged.includes(each))
    if (now.vlan !== vlan || !isThere) await device.setVlans(port, { vlan, tagged }, on.signal)
  } catch (error) {
    throw new HardwareError(`${wanted} for port ${port} of switch ${name}: ${textOf(error)}`)
  }
}

const PUT_BACK_MS = 180_000

/** With a deadline of its own: that of the step may be what ended it. Returns what to say of it. */
async function putBack(moved: readonly Asked[], on: StepContext): Promise<string> {
  const signal = AbortSignal.timeout(PUT_BACK_MS)
  const stuck: string[] = []
  for (const { switch: name, port } of moved.toReversed()) {
    const text = on.memo.get(memoKey(name, port))
    if (text === undefined) continue
    const before = remembered(text)
    const was = before.vlan ?? 'no'
    await deviceOf(name, on)
      .setVlans(port, before, signal)
      .catch(() => stuck.push(`${name}/${port} (was in ${was} VLAN)`))
  }
  if (stuck.length > 0) return `. Not put back: ${stuck.join(', ')}: do that by hand`
  return moved.length > 1 ? '. The ports that had been moved are where they were' : ''
}

/** Lives before this one kept the VLAN alone. */
function remembered(text: string): Vlans {
  const value = JSON.parse(text) as Vlans | number | null
  return typeof value === 'object' && value !== null ? value : { vlan: value, tagged: [] }
}

function deviceOf(name: string, on: StepContext): Switch {
  const { switches } = on.plan
  const found = on.switches.find(name, switches)
  if (found) return found.device
  const known = on.switches.names(switches)
  throw new HardwareError(
    `this appliance knows no switch ${name}: ${known.length === 0 ? 'it has none' : `it has ${known.join(', ')}`}; tell of it (bloomery site switch set, or switches in the appliance's configuration), or correct local_link_connection`,
  )
}

const memoKey = (name: string, port: string): string => `before ${name} ${port}`
const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
