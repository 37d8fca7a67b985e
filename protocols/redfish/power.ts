import { allowedValues, requiredAction } from './action.ts'
import type { Redfish } from './client.ts'
import { pause } from './clock.ts'
import { NotOffered, RequestRefused } from './error.ts'
import { textAt } from './json.ts'
import { readSystem, type System } from './system.ts'

export type ResetAction = 'on' | 'off' | 'restart' | 'soft off' | 'soft restart' | 'nmi'

/** ResetType (DSP2046 §5.2) for each, in order of preference: not every BMC has the first. */
const resetTypes: Readonly<Record<ResetAction, readonly string[]>> = {
  on: ['On', 'ForceOn'],
  off: ['ForceOff'],
  restart: ['ForceRestart', 'PowerCycle'],
  'soft off': ['GracefulShutdown', 'PushPowerButton'],
  'soft restart': ['GracefulRestart'],
  nmi: ['Nmi'],
}

const states: Readonly<Record<string, 'on' | 'off'>> = {
  On: 'on',
  PoweringOn: 'on',
  Paused: 'on',
  Off: 'off',
  PoweringOff: 'off',
}

export async function readPower(bmc: Redfish, system: System): Promise<'on' | 'off'> {
  const operation = 'read power state'
  const told = textAt((await readSystem(bmc, system, operation)).body, 'PowerState')
  const state = told === undefined || !Object.hasOwn(states, told) ? undefined : states[told]
  if (state) return state
  throw new NotOffered(bmc.subject(operation), `the BMC tells ${told ?? 'no'} power state; it may still be starting`)
}

/** Returns when the BMC accepted; reaching the state takes the machine some seconds more, so poll `readPower`. */
export async function reset(bmc: Redfish, system: System, action: ResetAction): Promise<void> {
  const operation = `reset (${action})`
  const row = requiredAction(bmc, await readSystem(bmc, system, operation), '#ComputerSystem.Reset', operation)
  const allowed = await allowedValues(bmc, row, 'ResetType', operation)
  const type = resetTypes[action].find((each) => allowed.length === 0 || allowed.includes(each))
  if (type === undefined)
    throw new NotOffered(bmc.subject(operation), `the BMC's reset can't do this; it has ${allowed.join(', ')}`)
  const { tries, everyMs } = (action === 'on' && system.quirk.onConflict) || { tries: 0, everyMs: 0 }
  for (let left = tries; ; left -= 1) {
    try {
      await bmc.send({ method: 'POST', path: row.target, body: { ResetType: type } }, { operation })
      return
    } catch (error) {
      if (await alreadyThere(bmc, system, action, error)) return
      if (left <= 0 || !(error instanceof RequestRefused) || error.status !== 409) throw error
      await pause(bmc.clock, everyMs)
    }
  }
}

/** Some BMCs refuse to switch on what is on. */
async function alreadyThere(bmc: Redfish, system: System, action: ResetAction, error: unknown): Promise<boolean> {
  if (action !== 'on' && action !== 'off') return false
  if (!(error instanceof RequestRefused) || (error.status !== 400 && error.status !== 409)) return false
  return (await readPower(bmc, system).catch(() => undefined)) === action
}
