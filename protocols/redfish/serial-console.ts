import type { Redfish } from './client.ts'
import { NotOffered } from './error.ts'
import { booleanAt, type JsonObject, numberAt, objectAt, textAt, textsAt } from './json.ts'
import { managerOf } from './manager.ts'
import { readSystem, type System } from './system.ts'

/** How a machine's serial port is had: Redfish tells the way and does not go it. */
export type ConsoleDoor =
  /** SSH to the BMC; `entry`: what is typed there to get through to the machine. */
  { by: 'ssh'; port: number; entry: string | undefined } | { by: 'ipmi'; port: number | undefined }

const SSH_PORT = 22

/** The ways that there are, best first. A system's own (DSP2046 ComputerSystem.SerialConsole) lead to the machine; a manager's are its
 * command line's, and only its vendor's quirk says what to type there. */
export async function serialConsoles(bmc: Redfish, system: System): Promise<ConsoleDoor[]> {
  const operation = 'find the serial console'
  const { body } = await readSystem(bmc, system, operation)
  const own = ofSystem(objectAt(body, 'SerialConsole'))
  if (own.length > 0) return own
  const manager = await managerOf(bmc, system, operation)
  const offered = objectAt(manager.body, 'SerialConsole')
  if (!offered || booleanAt(offered, 'ServiceEnabled') === false)
    throw new NotOffered(
      bmc.subject(operation),
      "the BMC's serial console is switched off, or it has none; switch it on in its set-up",
    )
  const types = textsAt(offered, 'ConnectTypesSupported')
  const protocols = textAt(manager.body, 'NetworkProtocol', '@odata.id')
  const told = protocols === undefined ? undefined : (await bmc.get(protocols, operation)).body
  const doors = ofManager(types, told, system.quirk.consoleEntry)
  if (doors.length > 0) return doors
  throw new NotOffered(
    bmc.subject(operation),
    `the BMC's serial console is had by ${types.join(', ') || 'nothing that it tells'}, which is not spoken here`,
  )
}

function ofSystem(console: JsonObject | undefined): ConsoleDoor[] {
  const [ssh, ipmi] = [objectAt(console, 'SSH'), objectAt(console, 'IPMI')]
  const doors: ConsoleDoor[] = []
  if (booleanAt(ssh, 'ServiceEnabled') === true)
    doors.push({ by: 'ssh', port: portAt(ssh) ?? SSH_PORT, entry: textAt(ssh, 'ConsoleEntryCommand') })
  if (booleanAt(ipmi, 'ServiceEnabled') === true) doors.push({ by: 'ipmi', port: portAt(ipmi) })
  return doors
}

function ofManager(
  types: readonly string[],
  protocols: JsonObject | undefined,
  entry: string | undefined,
): ConsoleDoor[] {
  const isOff = (name: string): boolean => booleanAt(protocols, name, 'ProtocolEnabled') === false
  const doors: ConsoleDoor[] = []
  if (types.includes('IPMI') && !isOff('IPMI')) doors.push({ by: 'ipmi', port: portAt(objectAt(protocols, 'IPMI')) })
  if (types.includes('SSH') && !isOff('SSH'))
    doors.push({ by: 'ssh', port: portAt(objectAt(protocols, 'SSH')) ?? SSH_PORT, entry })
  return doors
}

function portAt(of: JsonObject | undefined): number | undefined {
  const port = numberAt(of, 'Port') ?? numberAt(of, 'PortNumber')
  return port !== undefined && Number.isInteger(port) && port > 0 && port < 65_536 ? port : undefined
}
