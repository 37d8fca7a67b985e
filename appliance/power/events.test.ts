import { beforeEach, expect, it } from 'vitest'
import type { Machine } from '../../contract/plan.ts'
import type { Bmc } from '../drivers/bmc.ts'
import { HardwareError } from '../hardware-error.ts'
import { ManualClock, settled } from '../testing/manual-clock.ts'
import { memoryLog } from '../testing/memory-log.ts'
import { machine } from '../testing/plans.ts'
import { startPowerEvents } from './events.ts'

const MINUTE = 60_000
let clock: ManualClock
let site: Map<string, Machine>
/** Who is listened to, by node: what his BMC may call. */
let heard: Map<string, () => void>
let asked: string[]
let listen: ((onPower: () => void, signal: AbortSignal) => Promise<void>) | undefined
const hints: string[] = []

beforeEach(() => {
  clock = new ManualClock()
  site = new Map()
  heard = new Map()
  asked = []
  hints.length = 0
  listen = undefined
})

function start(most = 10): () => void {
  const bmcOf = async ({ node }: Machine): Promise<Bmc> => {
    asked.push(node)
    const own = (onPower: () => void, signal: AbortSignal): Promise<void> => {
      heard.set(node, onPower)
      return new Promise((resolve) =>
        signal.addEventListener('abort', () => {
          heard.delete(node)
          resolve()
        }),
      )
    }
    return { more: site.get(node)?.driver === 'ipmi' ? {} : { listen: listen ?? own } } as unknown as Bmc
  }
  const machines = {
    nodes: () => [...site.keys()],
    get: (node: string) => ({ machine: site.get(node)!, generation: 1, powerState: null }),
  }
  return startPowerEvents({ machines, clock, log: memoryLog(), most, bmcOf, hint: (node) => void hints.push(node) })
}

function add(more: Partial<Machine> = {}): string {
  const of = machine({ driver: 'redfish', driver_info: { redfish_address: 'https://10.0.0.1' }, ...more })
  site.set(of.node, of)
  return of.node
}

it('hints at whoever’s BMC tells that its power may have changed, until it is stopped', async () => {
  const node = add()
  const stop = start()
  await settled()
  heard.get(node)!()
  expect(hints).toEqual([node])
  stop()
  await settled()
  expect(heard.size).toBe(0)
  await clock.advance(10 * MINUTE)
  expect(asked).toEqual([node])
})

it('asks those that have no events once in hours', async () => {
  add({ driver: 'ipmi' })
  start()
  await clock.advance(5 * 60 * MINUTE)
  expect(asked).toHaveLength(1)
  await clock.advance(90 * MINUTE)
  expect(asked).toHaveLength(2)
})

it('tries those that refuse ever more seldom', async () => {
  listen = () => Promise.reject(new HardwareError('the BMC sends no events over a connection'))
  add()
  start()
  await clock.advance(24 * 60 * MINUTE)
  expect(asked.length).toBeGreaterThan(5)
  expect(asked.length).toBeLessThan(16)
})

it('listens to so many at once, and to another when one is gone', async () => {
  const nodes = [add(), add(), add()]
  start(2)
  await settled()
  expect([...heard.keys()]).toEqual(nodes.slice(0, 2))
  site.delete(nodes[0]!)
  await clock.advance(2 * MINUTE)
  expect([...heard.keys()]).toEqual(nodes.slice(1))
})

it('listens elsewhere when the BMC is reached another way', async () => {
  const node = add()
  start()
  await settled()
  site.set(node, { ...site.get(node)!, driver_info: { redfish_address: 'https://10.0.0.2' } })
  await clock.advance(2 * MINUTE)
  expect(asked).toEqual([node, node])
  expect(heard.size).toBe(1)
})
