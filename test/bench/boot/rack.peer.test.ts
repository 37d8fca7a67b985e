import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type BenchNetwork, benchNetwork } from './network.ts'
import { benchRack } from './rack.ts'

/** As the benchmark does it, in less time and with smaller files: how long answers take is the benchmark's business. */

let network: BenchNetwork
let dir: string
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'rack-'))
  network = benchNetwork()
})
afterAll(() => {
  network?.stop()
  rmSync(dir, { recursive: true })
})

test('200 machines that power on within seconds all reach the ramdisk’s first byte, and no address is given to two', async () => {
  const { reached, machines, failed, addresses, twice } = await benchRack(network, dir, {
    seconds: 4,
    fileBytes: 262_144,
  })
  expect([failed, twice]).toEqual([[], []])
  expect([machines, reached, addresses]).toEqual([200, 200, 200])
}, 180_000)
