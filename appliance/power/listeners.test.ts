import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { Machine } from '../../contract/plan.ts'
import type { Bmc } from '../drivers/bmc.ts'
import { HardwareError } from '../hardware-error.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { memoryLog } from '../testing/memory-log.ts'
import { machine } from '../testing/plans.ts'
import { startListeners } from './listeners.ts'

/** As soon as it is so, however busy the machine. */
const soon = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 30_000 })

/** What each BMC was listened to with, and whether it can tell. */
interface Ear {
  machine: Machine
  tell(): void
  signal: AbortSignal
}

let clock: ManualClock
let nodes: Map<string, Machine>
let ears: Ear[]
let hints: string[]
let deaf: Set<string>
let listeners: ReturnType<typeof startListeners>

function plugIn(driver = 'redfish'): string {
  const node = randomUUID()
  nodes.set(node, machine({ node, driver, driver_info: { redfish_address: `https://${node}` } }))
  return node
}

beforeEach(() => {
  clock = new ManualClock()
  nodes = new Map()
  ears = []
  hints = []
  deaf = new Set()
})
afterEach(() => listeners.stop())

function start(): void {
  listeners = startListeners({
    machines: { nodes: () => [...nodes.keys()], get: (node) => ({ machine: nodes.get(node)! }) as never },
    clock,
    log: memoryLog(),
    most: 256,
    hint: (node) => void hints.push(node),
    bmcOf: async (of) =>
      ({
        more: {
          listen(onPower, signal) {
            if (deaf.has(of.node)) return Promise.reject(new HardwareError('it tells no events'))
            ears.push({ machine: of, tell: onPower, signal })
            return new Promise((resolve) => signal.addEventListener('abort', () => resolve()))
          },
        },
      }) as Partial<Bmc> as Bmc,
  })
}
const heard = (count: number): Promise<void> => soon(() => expect(ears).toHaveLength(count))

it('a machine whose BMC tells that power may have changed is asked at once', async () => {
  const [node] = [plugIn(), plugIn('ipmi')] as const
  start()
  await heard(1)
  ears[0]!.tell()
  expect(hints).toEqual([node])
})

it('one that can not tell is tried again an hour later, not before', async () => {
  deaf.add(plugIn())
  start()
  await clock.advance(1_800_000)
  expect(ears).toEqual([])
  deaf.clear()
  await clock.advance(1_700_000)
  expect(ears).toEqual([])
  await clock.advance(200_000)
  await heard(1)
})

it('a machine that is gone, or has another BMC, is no longer listened to as it was', async () => {
  const [gone, moved] = [plugIn(), plugIn('idrac')]
  start()
  await heard(2)
  nodes.delete(gone)
  nodes.set(moved, { ...nodes.get(moved)!, driver_info: { redfish_address: 'https://elsewhere' } })
  await clock.advance(60_000)
  await heard(3)
  expect(ears.map(({ signal }) => signal.aborted)).toEqual([true, true, false])
  expect(ears[2]!.machine.driver_info['redfish_address']).toBe('https://elsewhere')
})

it('no more connections are held than a site can bear, and the end of it ends all', async () => {
  for (let left = 300; left > 0; left -= 1) plugIn()
  start()
  await heard(256)
  await clock.advance(120_000)
  expect(ears).toHaveLength(256)
  await listeners.stop()
  expect(ears.every(({ signal }) => signal.aborted)).toBe(true)
})
