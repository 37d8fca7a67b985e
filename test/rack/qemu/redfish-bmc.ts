import { open, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { selfSigned } from '@bloomery/redfish/testing/certificate.ts'
import type { BmcAccess } from './bmc.ts'
import { CD_IMAGE } from './machine.ts'
import { ready, spawnIn } from './netns.ts'

export type RedfishServer = { name: string; uuid: string; mac: string; dir: string }

/** Starts a Redfish BMC over the chassis of a server; it listens when this returns and ends with its namespace. */
export async function startRedfishBmc(
  bmcs: string,
  servers: string,
  server: RedfishServer,
  access: BmcAccess,
): Promise<BmcAccess> {
  const { name, uuid, mac, dir } = server
  const { key, cert: certificate } = selfSigned(2, access.address)
  const ca = join(dir, 'bmc-certificate.pem')
  await writeFile(ca, certificate)
  const { address, port, username, password } = access
  const chassis = ['sh', join(import.meta.dirname, 'chassis.sh'), dir, servers, '0x20']
  const settings = join(dir, 'redfish.json')
  const drive = join(dir, CD_IMAGE)
  const content = { chassis, name, uuid, mac, address, port, drive, username, password, key, certificate }
  await writeFile(settings, JSON.stringify(content), { mode: 0o600 })
  const log = await open(join(dir, 'bmc.log'), 'a')
  const main = join(import.meta.dirname, '../redfish/main.ts')
  const child = spawnIn(bmcs, [process.execPath, main, settings], { stdio: ['ignore', 'pipe', log.fd] })
  await log.close()
  await ready(child, `the Redfish BMC of ${name}, which logs to ${join(dir, 'bmc.log')},`)
  child.unref()
  return { ...access, ca }
}
