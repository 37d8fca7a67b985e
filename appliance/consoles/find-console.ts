import { isAbsent } from '../../contract/hardware.ts'
import type { Clock } from '../clock.ts'
import type { Memory, Stage } from '../drivers/bmc.ts'
import { openSecrets } from '../drivers/secrets.ts'
import type { Drivers } from '../drivers/table.ts'
import { HardwareError } from '../hardware-error.ts'
import type { Identity } from '../identity.ts'
import type { Machines } from '../ledger/machines.ts'
import type { OpenConsole } from './line.ts'

interface Needs {
  machines: Pick<Machines, 'get'>
  identity: Pick<Identity, 'uuid' | 'sealingKey'>
  drivers: Drivers
  clock: Clock
  delays: Stage['delays']
  imagined(node: string): Memory
}

/** How a machine's console is opened, by its console interface; each time by what is known of the machine then. Undefined: it has none. */
export function findConsole(needs: Needs): (node: string) => OpenConsole | undefined {
  const { machines, identity, drivers, clock, delays } = needs
  return (node) => {
    if (isAbsent(machines.get(node)?.machine.interfaces['console'] ?? null)) return undefined
    return async (ears) => {
      const machine = machines.get(node)?.machine
      const console = machine?.interfaces['console']
      if (!machine || isAbsent(console ?? null)) throw new HardwareError('the machine has no console any more')
      // Ironic's `ipmitool-…` is SOL also where the machine is driven by Redfish: driver_info then has both.
      const driver = console?.startsWith('ipmitool') ? 'ipmi' : 'fake-hardware'
      const stage: Stage = { clock, delays, memory: needs.imagined(node), signal: new AbortController().signal }
      const { more } = await drivers[driver](openSecrets(machine, identity), stage)
      if (!more?.openConsole)
        throw new HardwareError(`console interface ${console} has no console here: update the appliance`)
      return more.openConsole(ears)
    }
  }
}
