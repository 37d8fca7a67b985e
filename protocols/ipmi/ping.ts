import { type Clock, systemClock } from './clock.ts'
import { TransportTimeout } from './error.ts'
import { exchange } from './exchange.ts'
import { encodePacket } from './packet.ts'
import { type Random, systemRandom } from './random.ts'
import { resolveHost } from './resolve.ts'
import type { IpmiSocket } from './socket.ts'

/** ASF 2.0 §3.2.4: asks whether somebody is there, without logging in. Undefined: nobody answers in time. */
export async function ping(
  to: { socket: IpmiSocket; host: string; port: number; clock?: Clock; random?: Random },
  timeoutMs: number,
): Promise<{ ipmi: boolean } | undefined> {
  const { socket, host, port, clock = systemClock, random = systemRandom } = to
  const patience = { deadline: clock.now() + timeoutMs, seconds: timeoutMs / 1000 }
  // 0xff asks for no answer (§3.2.2.2).
  const [tag = 0] = random(1).map((byte) => byte % 0xff)
  const ask = encodePacket({ format: 'asf', type: 'ping', tag })
  try {
    const address = await resolveHost({ host, port }, clock, patience)
    return await exchange({ socket, host, port, clock, random, address }, patience, {
      operation: 'ping',
      sessionId: 0,
      make: () => ask,
      match: (packet) =>
        packet.format === 'asf' && packet.type === 'pong' && packet.tag === tag ? { ipmi: packet.ipmi } : undefined,
    })
  } catch (error) {
    if (error instanceof TransportTimeout) return undefined
    throw error
  }
}
