import type { BootChoice, BootMode } from '../boot.ts'
import { setBoot } from '../boot.ts'
import { setBootMode } from '../boot-mode.ts'
import { connect, type Redfish } from '../client.ts'
import type { JsonObject } from '../json.ts'
import { type ResetAction, reset } from '../power.ts'
import { findSystem } from '../system.ts'
import { type Request, type Transport, TransportFault } from '../transport.ts'
import { ejectMedia, insertMedia, type Medium } from '../virtual-media.ts'
import { virtualClock } from './virtual-clock.ts'

/** What people ask of a BMC, and the writes that this must come to, with the BMC's answers. */
export interface Vector {
  quirk: string
  /** What GET answers, by path. `/redfish/v1/` is the root. */
  resources: Record<string, JsonObject>
  story: readonly Deed[]
}

export interface Deed {
  does: { power: ResetAction } | { boot: BootChoice } | { bootMode: BootMode } | { insert: Medium } | 'eject'
  writes: readonly Write[]
}

export interface Write {
  method: 'POST' | 'PATCH'
  path: string
  body: unknown
  ifMatch?: string
  /** 204 unless told otherwise. */
  status?: number
  says?: string
  /** Properties that this changes, by path. */
  changes?: Record<string, JsonObject>
}

/** Plays one deed and tells what was written, as it went. */
export async function play(vector: Vector, deed: Deed): Promise<{ quirk: string; written: Partial<Write>[] }> {
  const clock = virtualClock()
  const written: Partial<Write>[] = []
  const transport = scripted(vector, deed.writes, written)
  const run = async (): Promise<string> => {
    const bmc = await connect({
      address: 'https://bmc.example',
      username: 'admin',
      password: 'secret',
      auth: 'basic',
      timeoutMs: 120_000,
      clock,
      random: () => 0.5,
      transport,
    })
    const system = await findSystem(bmc)
    await perform(bmc, system, deed.does)
    return system.quirk.name
  }
  return { quirk: await clock.run(run()), written }
}

async function perform(
  bmc: Redfish,
  system: Awaited<ReturnType<typeof findSystem>>,
  does: Deed['does'],
): Promise<void> {
  if (does === 'eject') await ejectMedia(bmc, system)
  else if ('power' in does) await reset(bmc, system, does.power)
  else if ('boot' in does) await setBoot(bmc, system, does.boot)
  else if ('bootMode' in does) await setBootMode(bmc, system, does.bootMode)
  else await insertMedia(bmc, system, does.insert)
}

function scripted({ resources }: Vector, writes: readonly Write[], written: Partial<Write>[]): Transport {
  const now: Record<string, JsonObject> = { ...resources }
  const answer = (request: Request): { status: number; body: unknown } => {
    if (request.method === 'GET') {
      const body = now[request.path]
      return body ? { status: 200, body } : { status: 404, body: undefined }
    }
    const expected = writes[written.length]
    const ifMatch = request.headers['if-match']
    const body: unknown = typeof request.body === 'string' ? JSON.parse(request.body) : undefined
    written.push({
      method: request.method as Write['method'],
      path: request.path,
      body,
      ...(ifMatch === undefined ? {} : { ifMatch }),
    })
    for (const [path, change] of Object.entries(expected?.changes ?? {})) now[path] = { ...now[path], ...change }
    const said = { error: { '@Message.ExtendedInfo': [{ MessageId: expected?.says, Message: expected?.says }] } }
    return { status: expected?.status ?? 204, body: expected?.says === undefined ? undefined : said }
  }
  return {
    send: (request) => {
      const { status, body } = answer(request)
      return Promise.resolve({ status, headers: {}, body: Buffer.from(body === undefined ? '' : JSON.stringify(body)) })
    },
    open: () => Promise.reject(new TransportFault('refused', 'nothing is streamed here')),
    close: () => undefined,
  }
}
