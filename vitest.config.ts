import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'
import { LongestFirst } from './test/setup/sequencer.ts'

const shared = { setupFiles: ['./test/setup/seed.ts'] }

/** Files at a time: what mostly waits for clocks and other programs leaves room for one more than there are cores. */
const cores = availableParallelism()
const busy = (groupOrder: number) => ({ maxWorkers: cores, sequence: { groupOrder } })
const waiting = (groupOrder: number) => ({ maxWorkers: cores + 1, sequence: { groupOrder } })

/** `expect.poll` waits a second unless told, which a busy machine may take for anything. */
const polling = (timeout: number) => ({ expect: { poll: { timeout } } })
const quick = { ...shared, testTimeout: 60_000, hookTimeout: 60_000, ...polling(30_000) }
const patient = { ...shared, ...polling(30_000) }

/** unit: beside the source, no process but this one. peers: programs that we did not write. contracts: both clouds.
 * scenarios: the paper rack and whole paths. qemu: real firmware; two files at a time, because an emulated machine keeps one core busy. */
export default defineConfig({
  test: {
    reporters: ['./test/setup/reporter.ts'],
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          name: 'unit',
          include: [
            '{contract,protocols,lambdas,standalone,appliance,agent,cli,cdk}/**/*.test.ts',
            'test/{demo,rack,setup}/**/*.test.ts',
          ],
          exclude: ['**/node_modules/**', '**/*.peer.test.ts'],
          ...quick,
          ...busy(1),
        },
      },
      {
        test: {
          name: 'peers',
          include: ['**/*.peer.test.ts'],
          exclude: ['**/node_modules/**'],
          testTimeout: 240_000,
          hookTimeout: 240_000,
          ...patient,
          ...waiting(2),
        },
      },
      {
        test: {
          name: 'contracts',
          include: ['test/contracts/**/*.test.ts', 'test/cloud/**/*.test.ts'],
          exclude: ['**/node_modules/**', '**/*.peer.test.ts'],
          testTimeout: 180_000,
          hookTimeout: 180_000,
          ...patient,
          ...busy(3),
        },
      },
      {
        test: {
          name: 'scenarios',
          include: ['test/scenarios/**/*.test.ts'],
          testTimeout: 300_000,
          hookTimeout: 300_000,
          ...patient,
          ...waiting(4),
        },
      },
      {
        test: {
          name: 'qemu',
          include: ['test/{qemu,ironic}/**/*.test.ts'],
          maxWorkers: 2,
          sequence: { groupOrder: 5 },
          pool: 'forks', // racks and labs are told apart by their process
          testTimeout: 1_500_000,
          hookTimeout: 900_000,
          ...patient,
        },
      },
    ],
  },
})
