import { defineConfig } from 'vitest/config'

/** A test that passes only when tried again is listed at the end of the run: it stops nobody, and is a bug to be mended. */
const shared = { setupFiles: ['./test/setup/seed.ts'], retry: 1 }

/** `expect.poll` waits a second unless told, which a busy machine may take for anything. */
const polling = (timeout: number) => ({ expect: { poll: { timeout } } })
const quick = { ...shared, testTimeout: 20_000, hookTimeout: 20_000, ...polling(15_000) }
const patient = { ...shared, ...polling(30_000) }

/** unit: beside the source, no process but this one. peers: programs that we did not write. contracts: both clouds.
 * scenarios: the paper rack and whole paths. qemu: real firmware; two files at a time, because an emulated machine keeps one core busy. */
export default defineConfig({
  test: {
    reporters: ['./test/setup/reporter.ts'],
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
        },
      },
      {
        test: {
          name: 'peers',
          include: ['**/*.peer.test.ts'],
          exclude: ['**/node_modules/**'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          ...patient,
        },
      },
      {
        test: {
          name: 'contracts',
          include: ['test/contracts/**/*.test.ts', 'test/cloud/**/*.test.ts'],
          exclude: ['**/node_modules/**', '**/*.peer.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 120_000,
          ...patient,
        },
      },
      {
        test: {
          name: 'scenarios',
          include: ['test/scenarios/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          ...patient,
        },
      },
      {
        test: {
          name: 'qemu',
          include: ['test/{qemu,ironic}/**/*.test.ts'],
          maxWorkers: 2,
          pool: 'forks', // racks and labs are told apart by their process
          testTimeout: 600_000,
          hookTimeout: 900_000,
          ...patient,
        },
      },
    ],
  },
})
