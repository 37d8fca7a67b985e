import { createHash } from 'node:crypto'
import type { Machine } from '../../contract/plan.ts'
import type { Clock } from '../clock.ts'
import type { Bmc } from '../drivers/bmc.ts'
import { HardwareError, sentence } from '../hardware-error.ts'
import type { Machines } from '../ledger/machines.ts'
import type { Log } from '../log.ts'

/** BMCs that tell by themselves when power may have changed: those machines are asked at once then, instead of when their turn comes. */
export interface ListenersParts {
  machines: Pick<Machines, 'nodes' | 'get'>
  clock: Clock
  log: Log
  /** At once: each holds a connection. The others are asked in turn as ever. */
  most: number
  bmcOf(machine: Machine): Promise<Bmc>
  hint(node: string): void
}

const ROLL_CALL_MS = 30_000
/** One that can't tell may have newer firmware by then. */
const AGAIN_MS = 3_600_000
const tells = ['redfish', 'idrac']

interface Listener {
  /** Of what the BMC is reached by. */
  address: string
  ended: AbortController
  /** When to try again; undefined while it listens. */
  again: number | undefined
}

export function startListeners({ machines, clock, log, most, bmcOf, hint }: ListenersParts): { stop(): Promise<void> } {
  const stopped = new AbortController()
  const listeners = new Map<string, Listener>()

  async function listen(machine: Machine, listener: Listener): Promise<void> {
    const { signal } = listener.ended
    try {
      const { more } = await bmcOf(machine)
      if (!more?.listen) throw new HardwareError('its driver hears no events')
      await more.listen(() => hint(machine.node), signal)
    } catch (error) {
      if (signal.aborted) return
      log.debug({ node: machine.node, error: sentence(error) }, 'its BMC tells no events; it is asked in turn')
    }
    listener.again = clock.now().getTime() + AGAIN_MS
  }

  function drop(node: string): void {
    listeners.get(node)?.ended.abort(new Error('no longer listened to'))
    listeners.delete(node)
  }

  function callRoll(): void {
    const now = clock.now().getTime()
    const nodes = new Set(machines.nodes())
    for (const [node, { again }] of listeners) if (!nodes.has(node) || (again !== undefined && again <= now)) drop(node)
    let room = most - [...listeners.values()].filter(({ again }) => again === undefined).length
    for (const node of nodes) {
      const known = listeners.get(node)
      const machine = known || room > 0 ? machines.get(node)?.machine : undefined
      const address = machine && tells.includes(machine.driver) ? digest(machine) : undefined
      if (known && known.address === address) continue
      drop(node)
      if (!machine || address === undefined || room <= 0) continue
      room -= 1
      const listener: Listener = { address, ended: new AbortController(), again: undefined }
      listeners.set(node, listener)
      void listen(machine, listener)
    }
  }

  async function loop(): Promise<void> {
    while (!stopped.signal.aborted) {
      try {
        callRoll()
      } catch (error) {
        log.error({ error: sentence(error) }, 'who is to be listened to can not be told; asked again')
      }
      await clock.sleep(ROLL_CALL_MS, stopped.signal).catch(() => {})
    }
    for (const node of listeners.keys()) drop(node)
  }

  const looping = loop()
  return {
    stop() {
      stopped.abort(new Error('stopped'))
      return looping
    },
  }
}

function digest({ driver, driver_info: info }: Machine): string {
  return createHash('sha256')
    .update(JSON.stringify([driver, info]))
    .digest('hex')
}
