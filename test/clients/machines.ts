import { Fleet } from '../rack/paper/fleet.ts'
import { cloudHere, type CloudHere } from '../scenarios/cloud-here.ts'
import { readFileSync } from 'node:fs'
import { adminPasswordFile } from '../../standalone/keystone.ts'
import { systemToken } from './way-in.ts'

export interface MachinesToHave {
  cloud: CloudHere
  fleet: Fleet
  /** As OpenStack's clients read them from the environment: the administrator in the project of that name. */
  settings: Record<string, string>
  stop(): Promise<void>
}

/** A cloud with a flavor's worth of machines on paper, which deploy as told: for clients that ask for servers. */
export async function openMachines(machines: number, speed = 100): Promise<MachinesToHave> {
  const cloud = await cloudHere({ auth: 'keystone' })
  const stops = [() => cloud.stopAndForget()]
  const stop = async (): Promise<void> => {
    for (const each of stops) await each()
  }
  try {
    const password = readFileSync(adminPasswordFile(cloud.dataDir), 'utf8').trim()
    const token = await systemToken(cloud.endpoint, password)
    const withToken: typeof fetch = (url, init) =>
      fetch(url, { ...init, headers: { ...(init?.headers as Record<string, string>), 'x-auth-token': token } })
    const of = { endpoint: cloud.endpoint, fetch: withToken, sites: 1, machinesPerSite: machines, speed }
    const fleet = new Fleet(of)
    stops.unshift(() => fleet.tearDown())
    await fleet.join()
    for (const { uuid } of fleet.members)
      await fleet.client.nodes.patch(uuid, [{ op: 'replace', path: '/resource_class', value: 'baremetal' }])
    await fleet.makeAvailable(fleet.members)
    await fleet.pushImage('debian')
    const settings = {
      OS_AUTH_URL: `${cloud.endpoint}/identity`,
      OS_USERNAME: 'admin',
      OS_PASSWORD: password,
      OS_PROJECT_NAME: 'admin',
      OS_USER_DOMAIN_NAME: 'Default',
      OS_PROJECT_DOMAIN_NAME: 'Default',
      OS_REGION_NAME: 'RegionOne',
    }
    return { cloud, fleet, settings, stop }
  } catch (error) {
    await stop()
    throw error
  }
}
