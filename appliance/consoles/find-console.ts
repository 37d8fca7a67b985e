import { type Driver, isAbsent } from '../../contract/hardware.ts'
import type { Machine } from '../../contract/plan.ts'
import type { Clock } from '../clock.ts'
import { type DriverInfo, type Memory, requireMore, type Stage } from '../drivers/bmc.ts'
import { openSecrets } from '../drivers/secrets.ts'
import type { Drivers } from '../drivers/table.ts'
import { HardwareError } from '../hardware-error.ts'
import type { Identity } from '../identity.ts'
import type { Machines } from '../ledger/machines.ts'
import type { HostKeys } from './host-keys.ts'
import type { ConsoleEars, ConsoleLine, OpenConsole } from './line.ts'
import { openSshLine } from './ssh-line.ts'

interface Needs {
  machines: Pick<Machines, 'get'>
  identity: Pick<Identity, 'uuid' | 'sealingKey'>
  drivers: Drivers
  clock: Clock
  delays: Stage['delays']
  imagined(node: string): Memory
  hostKeys: HostKeys
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
      const stage: Stage = { clock, delays, memory: needs.imagined(node), signal: new AbortController().signal }
      const driverInfo = openSecrets(machine, identity)
      if (console === 'redfish-serial') return openDoor(needs, machine, driverInfo, stage, ears)
      // Ironic's `ipmitool-…` is SOL also where the machine is driven by Redfish: driver_info then has both.
      const driver = console?.startsWith('ipmitool') ? 'ipmi' : 'fake-hardware'
      const { more } = await drivers[driver](driverInfo, stage)
      if (!more?.openConsole)
        throw new HardwareError(`console interface ${console} has no console here: update the appliance`)
      return more.openConsole(ears)
    }
  }
}

/** Redfish only tells where the serial port is. */
async function openDoor(
  { drivers, hostKeys }: Needs,
  { node, driver }: Machine,
  driverInfo: DriverInfo,
  stage: Stage,
  ears: ConsoleEars,
): Promise<ConsoleLine> {
  const bmc = await drivers[driver as Driver](driverInfo, stage)
  const door = await requireMore(bmc, driver, 'serialDoor')()
  if (door.by === 'ssh') {
    const address = `${door.host}:${door.port}`
    return openSshLine({ ...door, refuses: (shown) => refusal(hostKeys, node, address, door.fingerprint, shown) }, ears)
  }
  const { more } = await drivers.ipmi(door.driverInfo, stage)
  return more!.openConsole!(ears)
}

/** As driver_info says; else the first key that is seen of a BMC is kept, and no other is taken for it ever after. */
function refusal(
  keys: HostKeys,
  node: string,
  address: string,
  told: string | undefined,
  shown: string,
): string | undefined {
  const known = keys.get(node)
  const wanted = told ?? (known?.address === address ? known.fingerprint : undefined)
  if (wanted === shown) return undefined
  if (wanted !== undefined)
    return `its host key is ${shown}, and ${wanted} is the one that is known; if the BMC was replaced, set driver_info/redfish_ssh_fingerprint to the new one, else somebody stands in between`
  keys.set(node, { address, fingerprint: shown })
  return undefined
}
