import { createClient } from '../../../contract/api/client.ts'
import { Fleet } from '../../rack/paper/fleet.ts'
import { setTimeout as pause } from 'node:timers/promises'

const PATIENCE_MS = 60_000
const LOOK_MS = 50

/** Fake servers from enroll to active, each told on as soon as it can be, by a cloud and an appliance at their real speed. */
export async function deploysPerMinute(endpoint: string, atOnce: number, ms: number): Promise<number> {
  const fleet = new Fleet({ endpoint, sites: 1, machinesPerSite: 0, speed: 1 })
  const { nodes } = createClient({ endpoint })
  const reach = async (uuid: string, state: string): Promise<void> => {
    const end = performance.now() + PATIENCE_MS
    while ((await nodes.states(uuid)).provision_state !== state) {
      if (performance.now() > end) throw new Error(`node ${uuid} is not ${state} within ${PATIENCE_MS / 1000} s`)
      await pause(LOOK_MS)
    }
  }
  try {
    await fleet.join()
    const begin = performance.now()
    let active = 0
    const work = async (): Promise<void> => {
      while (performance.now() < begin + ms) {
        const { uuid } = await nodes.create({
          driver: 'fake-hardware',
          conductor_group: 'site-1',
          automated_clean: false,
        })
        await nodes.provision(uuid, 'manage')
        await reach(uuid, 'manageable')
        await nodes.provision(uuid, 'provide')
        await reach(uuid, 'available')
        await nodes.provision(uuid, 'active')
        await reach(uuid, 'active')
        active += 1
      }
    }
    await Promise.all(Array.from({ length: atOnce }, work))
    return (active / (performance.now() - begin)) * 60_000
  } finally {
    await fleet.tearDown()
  }
}
