import { readlink } from 'node:fs/promises'
import { isIPv4 } from 'node:net'
import type { NetworkInterfaceInfo } from 'node:os'
import { basename, join } from 'node:path'
import type { NetworkInterface } from '../machine/network.ts'
import { numberOf, pciFunctionOf, valueOf } from './sysfs.ts'

type Addresses = Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>

/** A network card under ironic-python-agent's keys. `addresses`: of all interfaces, as os.networkInterfaces gives them. */
export async function describeCard(
  { name, mac, carrier }: NetworkInterface,
  addresses: Addresses,
  sysfs: string,
): Promise<Record<string, unknown>> {
  const folder = join(sysfs, 'class/net', name)
  const own = (addresses[name] ?? []).filter(({ internal, address }) => !internal && !address.startsWith('fe80:'))
  const driver = await readlink(join(folder, 'device/driver')).catch(() => undefined)
  return {
    name,
    mac_address: mac,
    ipv4_address: own.find(({ address }) => isIPv4(address))?.address ?? null,
    ipv6_address: own.find(({ address }) => !isIPv4(address))?.address ?? null,
    has_carrier: carrier,
    vendor: (await valueOf(join(folder, 'device/vendor'))) ?? null,
    product: (await valueOf(join(folder, 'device/device'))) ?? null,
    client_id: null,
    biosdevname: null,
    speed_mbps: (await numberOf(join(folder, 'speed'))) ?? null,
    pci_address: (await pciFunctionOf(join(folder, 'device'))) ?? null,
    driver: driver === undefined ? null : basename(driver),
  }
}
