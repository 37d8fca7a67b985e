import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { type BootOverride, type Machine, type MachineFacts, Refusal } from '@bloomery/redfish/service/machine.ts'

const run = promisify(execFile)

/** BootSourceOverrideTarget in the words of chassis.sh. */
const devices: Readonly<Record<string, string>> = { None: 'none', Pxe: 'pxe', Hdd: 'default' }

/** A server of the QEMU rack behind Redfish. `chassis` is the command line that ipmi_sim would call, up to the verb. */
export function qemuMachine([program = '', ...first]: readonly string[], facts: MachineFacts): Machine {
  let override: BootOverride = { target: 'None', enabled: 'Disabled', mode: 'UEFI' }
  const chassis = async (...words: string[]): Promise<string> =>
    (await run(program, [...first, ...words])).stdout.trim()
  const isOn = async (): Promise<boolean> => (await chassis('get', 'power')) === 'power:1'
  const set = async (next: BootOverride): Promise<void> => {
    const device = next.enabled === 'Disabled' ? 'none' : devices[next.target]
    if (device === undefined)
      throw new Refusal(400, 'PropertyValueNotInList', [next.target, 'BootSourceOverrideTarget'])
    await chassis('set', 'boot', device)
    override = next
  }
  /** QEMU has its boot order from its start on, so that is when a choice for once is used up. */
  const begin = async (...words: string[]): Promise<void> => {
    await chassis('set', ...words)
    if (override.enabled === 'Once') await set({ ...override, target: 'None', enabled: 'Disabled' })
  }
  const reset = async (type: string): Promise<void> => {
    if (type === 'On' || type === 'ForceOn') return (await isOn()) ? undefined : begin('power', '1')
    if (type === 'ForceOff') return void (await chassis('set', 'power', '0'))
    if (type === 'GracefulShutdown') return void (await chassis('set', 'shutdown', '1'))
    if (type !== 'ForceRestart' && type !== 'PowerCycle')
      throw new Refusal(400, 'ActionParameterNotSupported', ['ResetType', type])
    if (!(await isOn())) throw new Refusal(409, 'ResourceInUse')
    return begin('reset', '1')
  }
  // One after the other, as in a BMC: between power off and on there is a moment with no machine at all.
  let queue: Promise<unknown> = Promise.resolve()
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = queue.then(work)
    queue = turn.catch(() => undefined)
    return turn
  }
  return {
    facts,
    power: () => inTurn(async () => ((await isOn()) ? 'On' : 'Off')),
    reset: (type) => inTurn(() => reset(type)),
    boot: { get: () => Promise.resolve(override), set: (next) => inTurn(() => set(next)) },
  }
}
