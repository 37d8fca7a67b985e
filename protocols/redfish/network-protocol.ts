import type { Redfish, Resource } from './client.ts'
import { required } from './collection.ts'
import { booleanAt, textsAt } from './json.ts'
import { managerOf } from './manager.ts'
import type { System } from './system.ts'

/** Where a BMC has its time from. */
export interface Ntp {
  enabled: boolean | undefined
  servers: readonly string[]
}

export async function readNtp(bmc: Redfish, system: System): Promise<Ntp> {
  const { body } = await protocolOf(bmc, system, 'read NTP servers')
  return {
    enabled: booleanAt(body, 'NTP', 'ProtocolEnabled'),
    servers: textsAt(body, 'NTP', 'NTPServers').filter((server) => server !== ''),
  }
}

/** No servers: it keeps the time that it is told. */
export async function setNtp(bmc: Redfish, system: System, servers: readonly string[]): Promise<void> {
  const operation = 'set NTP servers'
  const enabled = servers.length > 0
  // The list stays when it is switched off: some BMCs take no empty one.
  const NTP = { ProtocolEnabled: enabled, ...(enabled ? { NTPServers: servers } : {}) }
  await bmc.change(await protocolOf(bmc, system, operation), { NTP }, { operation })
}

async function protocolOf(bmc: Redfish, system: System, operation: string): Promise<Resource> {
  const manager = await managerOf(bmc, system, operation)
  return bmc.get(required(bmc, manager, ['NetworkProtocol'], operation), operation)
}
