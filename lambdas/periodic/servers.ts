import type { Server } from '../../contract/compute.ts'
import { changeServer } from '../compute/change-server.ts'
import { SERVERS_DUE } from '../compute/store.ts'
import type { Platform } from '../platform.ts'
import { dueItems } from './due.ts'

/** Servers to which something is being done are written anew, so that the conductor looks at them: whatever interrupted it, it goes on. */
export async function wakeServers(platform: Platform): Promise<void> {
  for await (const { value } of dueItems(platform.table, SERVERS_DUE, platform.clock.now()))
    await changeServer(platform, (value as Server).uuid, ({ task }) => (task === null ? undefined : {}))
}
