import { serialConsoles } from '@bloomery/redfish/serial-console.ts'
import { z } from 'zod'
import { HardwareError } from '../hardware-error.ts'
import type { DriverInfo, SerialDoor } from './bmc.ts'
import { redfishHost } from './redfish-host.ts'
import type { UseRedfish } from './redfish-management.ts'

const port = z.coerce.number().int().min(1).max(65_535)

const info = z.object({
  redfish_address: z.string(),
  redfish_username: z.string().default(''),
  redfish_password: z.string().default(''),
  redfish_console: z.enum(['auto', 'ssh', 'ipmi']).default('auto'),
  redfish_ssh_port: port.optional(),
  redfish_ssh_fingerprint: z.string().optional(),
  redfish_console_command: z.string().max(255).optional(),
})

/** The serial port of a machine whose BMC speaks Redfish: by SSH or SOL, with the account that Redfish has. */
export async function redfishSerialDoor(use: UseRedfish, driverInfo: DriverInfo): Promise<SerialDoor> {
  const told = info.parse(driverInfo)
  const doors = await use(({ bmc, system }) => serialConsoles(bmc, system))
  const door = doors.find(({ by }) => told.redfish_console === 'auto' || by === told.redfish_console)
  if (!door)
    throw new HardwareError(
      `the BMC's serial console is had by ${doors.map(({ by }) => by).join(', ')}, and driver_info/redfish_console says ${told.redfish_console}`,
    )
  const host = redfishHost(told.redfish_address)
  const { redfish_username: username, redfish_password: password } = told
  if (door.by === 'ipmi') {
    const ipmi = { ipmi_address: host, ipmi_username: username, ipmi_password: password }
    return { by: 'ipmi', driverInfo: { ...ipmi, ...(door.port === undefined ? {} : { ipmi_port: door.port }) } }
  }
  return {
    by: 'ssh',
    host,
    port: told.redfish_ssh_port ?? door.port,
    username,
    password,
    entry: told.redfish_console_command ?? door.entry,
    fingerprint: told.redfish_ssh_fingerprint,
  }
}
