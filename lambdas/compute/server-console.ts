import { setTimeout as pause } from 'node:timers/promises'
import { z } from 'zod'
import { ApiError } from '../../contract/api/client.ts'
import { UserError } from '../../contract/api/faults.ts'
import type { Server } from '../../contract/compute.ts'
import type { Recorded } from '../../contract/console.ts'
import { readJson } from '../api/body.ts'
import type { Call, Ground, Service } from '../openstack/context.ts'
import { baremetalOf } from './baremetal.ts'
import { PATH } from './path.ts'
import { changeable, ownNode } from './servers.ts'

/** What a server's machine printed on its serial port: the recording of its site. */

const PATIENCE_MS = 20_000
const LOOK_MS = 150
/** Of the reply: consoles print for years. */
const MOST = 512 * 1024

const remote = z.object({ remote_console: z.looseObject({ type: z.string().max(64) }) })

/** Consoles by URL since 2.6; before that, and the recording, they are actions. */
export function consoleRoutes(app: Service, ground: Ground): void {
  app.post(`${PATH}/servers/:server/remote-consoles`, async (call) => {
    const { type } = remote.parse(await readJson(call)).remote_console
    const server = await changeable(call, ground, call.req.param('server'), 'os-remote-consoles')
    return call.json({ remote_console: { protocol: 'serial', ...consoleUrl(call, server, type) } })
  })
}

/** Its last `lines`, or all of it. */
export async function consoleOutput(ground: Ground, server: Server, lines: number | undefined): Promise<string> {
  const node = await ownNode(ground, server)
  const { nodes } = baremetalOf(ground)
  const asked = await nodes.askConsoleLog(node, {}).catch((error: unknown) => {
    throw error instanceof ApiError ? new UserError(error.status === 503 ? 503 : 404, error.message) : error
  })
  const until = Date.now() + PATIENCE_MS
  for (;;) {
    const { request, log } = await nodes.consoleLog(node)
    // Somebody else's question, asked after ours, has the same answer.
    if (log !== null) return lastLines(printed(log, server.claimed_at ?? server.created_at), lines)
    if (Date.now() > until)
      throw new UserError(
        503,
        `The site has not sent the recording ${request === asked.request ? '' : 'asked for by somebody else '}within ${PATIENCE_MS / 1000} s: ask again.`,
      )
    await pause(LOOK_MS)
  }
}

/** A recording's lines are `[when, kind, text]`; a last one may have been cut off. It is its machine's, whoever had that: what was printed before `since`
 * may be another project's. */
export function printed(recording: string, since: string): string {
  const text = recording
    .split('\n')
    .flatMap((line) => {
      try {
        const [at, kind, said] = JSON.parse(line) as Recorded
        return kind === 'o' && at >= since ? [said] : []
      } catch {
        return []
      }
    })
    .join('')
  return text.replaceAll(/\r+\n/g, '\n').slice(-MOST)
}

function lastLines(text: string, lines: number | undefined): string {
  return lines === undefined ? text : text.split('\n').slice(-lines).join('\n')
}

/** The console as it goes on: server-sent events, for whoever may read the node's console and sends a token. */
export function consoleUrl(call: Call, { uuid, node }: Server, type: string): { type: string; url: string } {
  if (type !== 'serial')
    throw new UserError(
      400,
      `Unavailable console type ${type}: there are only serial ones (openstack console url show --serial).`,
    )
  if (node === null) throw new UserError(409, `Instance ${uuid} is not ready`)
  return { type, url: `${call.var.base}/v1/nodes/${node}/console/stream` }
}
