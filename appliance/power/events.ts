import type { Machine } from '../../contract/plan.ts'
import type { Clock } from '../clock.ts'
import type { Bmc } from '../drivers/bmc.ts'
import { sentence } from '../hardware-error.ts'
import type { Machines } from '../ledger/machines.ts'
import type { Log } from '../log.ts'

const ROLL_CALL_MS = 60_000
const AGAIN_MS = 60_000
/** One that has no events to offer may get them with its next firmware. */
const SELDOM_MS = 6 * 3_600_000

export interface PowerEventsParts {
  machines: Pick<Machines, 'nodes' | 'get'>
  clock: Clock
  log: Log
  /** Streams at once: each is a connection. */
  most: number
  bmcOf(machine: Machine): Promise<Bmc>
  hint(node: string): void
}

interface Ear {
  /** What it was opened with. */
  driverInfo: string
  stop: AbortController
  listens: boolean
  failures: number
  again: number
}

/** Listens to those BMCs that tell when power changes, so that they are asked at once. What they tell is only a hint: whoever is deaf, or beyond
 * `most`, is asked at its time like any other. Stops when the returned function is called. */
export function startPowerEvents({ machines, clock, log, most, bmcOf, hint }: PowerEventsParts): () => void {
  const stopped = new AbortController()
  const ears = new Map<string, Ear>()
  const now = (): number => clock.now().getTime()
  let open = 0

  function rollCall(): void {
    const nodes = new Set(machines.nodes())
    for (const [node, ear] of ears) if (!nodes.has(node)) close(node, ear, 'the node was deleted')
    for (const node of nodes) {
      if (!ears.has(node) && open >= most) continue
      const machine = machines.get(node)?.machine
      if (!machine) continue
      const driverInfo = JSON.stringify([machine.driver, machine.driver_info])
      const known = ears.get(node)
      if (known && known.driverInfo !== driverInfo) close(node, known, 'its BMC is reached another way now')
      const ear = ears.get(node) ?? { driverInfo, stop: new AbortController(), listens: false, failures: 0, again: 0 }
      if (ear.listens || ear.again > now() || open >= most) continue
      ears.set(node, ear)
      void listen(machine, ear)
    }
  }

  function close(node: string, ear: Ear, why: string): void {
    ears.delete(node)
    ear.stop.abort(new Error(why))
  }

  async function listen(machine: Machine, ear: Ear): Promise<void> {
    const { node } = machine
    const since = now()
    ear.listens = true
    open += 1
    let can = true
    try {
      const { more } = await bmcOf(machine)
      can = more?.listen !== undefined
      await more?.listen?.(() => hint(node), AbortSignal.any([stopped.signal, ear.stop.signal]))
    } catch (error) {
      log.debug({ node, error: sentence(error) }, 'no events of power')
    }
    open -= 1
    ear.listens = false
    ear.failures = now() - since > SELDOM_MS ? 0 : ear.failures + 1
    ear.again = now() + (can ? Math.min(AGAIN_MS * 2 ** Math.min(ear.failures, 16), SELDOM_MS) : SELDOM_MS)
  }

  async function loop(): Promise<void> {
    while (!stopped.signal.aborted) {
      try {
        rollCall()
      } catch (error) {
        log.error({ error: sentence(error) }, 'events of power not looked after; trying again')
      }
      await clock.sleep(ROLL_CALL_MS, stopped.signal).catch(() => {})
    }
  }

  void loop()
  return () => stopped.abort(new Error('stopped'))
}
