import { setTimeout as pause } from 'node:timers/promises'
import { Caller } from './caller.ts'

const PATIENCE_MS = 60_000
const LOOK_MS = 50

/** Fake servers from enroll to active, each told on as soon as it can be; the same requests whoever serves them. */
export async function deploysPerMinute(endpoint: string, atOnce: number, ms: number): Promise<number> {
  const caller = new Caller(endpoint, atOnce)
  const reach = async (uuid: string, target: string, state: string): Promise<void> => {
    await caller.call({ method: 'PUT', path: `/v1/nodes/${uuid}/states/provision`, body: { target } })
    const end = performance.now() + PATIENCE_MS
    for (;;) {
      const text = await caller.call({ method: 'GET', path: `/v1/nodes/${uuid}/states` })
      const { provision_state: now, last_error: error } = JSON.parse(text) as Record<string, string | null>
      if (now === state) return
      if (performance.now() > end)
        throw new Error(`node ${uuid} is ${now}, not ${state}, after ${PATIENCE_MS / 1000} s: ${error}`)
      await pause(LOOK_MS)
    }
  }
  try {
    const begin = performance.now()
    let active = 0
    const work = async (): Promise<void> => {
      while (performance.now() < begin + ms) {
        const body = { driver: 'fake-hardware', automated_clean: false }
        const { uuid } = JSON.parse(await caller.call({ method: 'POST', path: '/v1/nodes', body })) as { uuid: string }
        await reach(uuid, 'manage', 'manageable')
        await reach(uuid, 'provide', 'available')
        await reach(uuid, 'active', 'active')
        active += 1
      }
    }
    await Promise.all(Array.from({ length: atOnce }, work))
    return (active / (performance.now() - begin)) * 60_000
  } finally {
    caller.close()
  }
}
