import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { ApiError } from '../contract/api/client.ts'
import { idOf, type OpenStack } from './openstack.ts'
import { OutcomeError } from './usage.ts'

/** A server as the compute service shows it. */

const server = z.looseObject({
  id: z.string(),
  name: z.string(),
  status: z.string(),
  'OS-EXT-STS:task_state': z.string().nullable(),
  'OS-EXT-AZ:availability_zone': z.string(),
  hostId: z.string(),
  created: z.string(),
  key_name: z.string().nullable(),
  metadata: z.record(z.string(), z.string()),
  addresses: z.record(z.string(), z.array(z.looseObject({ addr: z.string() }))),
  flavor: z.looseObject({ original_name: z.string() }),
  fault: z.looseObject({ message: z.string() }).optional(),
})
export type ServerView = z.infer<typeof server>

export const SERVERS = '/compute/v2.1/servers'
const POLL_MS = 1000

export async function listServers(openstack: OpenStack, everyone: boolean): Promise<ServerView[]> {
  const reply = await openstack.ask('GET', `${SERVERS}/detail${everyone ? '?all_tenants=1' : ''}`)
  return z.object({ servers: z.array(server) }).parse(reply).servers
}

export async function showServer(openstack: OpenStack, ident: string): Promise<ServerView> {
  const id = await idOf(openstack, SERVERS, 'servers', ident)
  return z.object({ server }).parse(await openstack.ask('GET', `${SERVERS}/${id}`)).server
}

export const addressesOf = ({ addresses }: ServerView): string =>
  Object.values(addresses)
    .flatMap((own) => own.map(({ addr }) => addr))
    .join(', ')

/** Until nothing is being done to it; each new state is told. Rejects where it ended in an error. */
export async function restedServer(
  openstack: OpenStack,
  id: string,
  seconds: number,
  tell: (line: string) => void,
): Promise<ServerView> {
  const until = Date.now() + seconds * 1000
  let told = ''
  for (;;) {
    const now = z.object({ server }).parse(await openstack.ask('GET', `${SERVERS}/${id}`)).server
    const task = now['OS-EXT-STS:task_state']
    const state = task === null ? now.status : `${now.status}: ${task}`
    if (state !== told) tell(`${now.name}  ${state}`)
    told = state
    if (now.status === 'ERROR' && task === null)
      throw new OutcomeError(`${now.name} is in ERROR: ${now.fault?.message ?? 'nothing is said of why'}`)
    if (task === null) return now
    if (Date.now() > until) throw new OutcomeError(`${now.name} is still ${state} after ${seconds} s`)
    await sleep(POLL_MS)
  }
}

/** Until it is no more. */
export async function goneServer(openstack: OpenStack, id: string, seconds: number): Promise<void> {
  const until = Date.now() + seconds * 1000
  for (;;) {
    try {
      await openstack.ask('GET', `${SERVERS}/${id}`)
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return
      throw error
    }
    if (Date.now() > until) throw new OutcomeError(`server ${id} is still there after ${seconds} s`)
    await sleep(POLL_MS)
  }
}
