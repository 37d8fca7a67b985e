import type { Machine } from '../../contract/plan.ts'

/** What listens for this machine's commands. The nodes of one chassis may share it; a machine without a BMC is its own. */
export function bmcAddress({ node, driver_info }: Pick<Machine, 'node' | 'driver_info'>): string {
  const { ipmi_address: ipmi, ipmi_port: port, redfish_address: redfish } = driver_info
  if (typeof redfish === 'string') {
    const url = URL.parse(redfish.includes('://') ? redfish : `https://${redfish}`)
    return url ? `${url.protocol}//${url.host}` : redfish
  }
  if (typeof ipmi === 'string')
    return `${ipmi.toLowerCase()}:${typeof port === 'number' || typeof port === 'string' ? port : 623}`
  return node
}
