import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

const compiled = join(import.meta.dirname, '../../.cache/compiled')

/** `npm run bench -- bmc sweep`: the power of thousands of machines, some of whose BMCs are dead, slow or lie. Its process is started as
 * bin/bloomery starts the appliance. */
export async function bench(): Promise<void> {
  const child = spawn(
    process.execPath,
    ['--max-semi-space-size=8', '--heap-growing-percent=10', join(import.meta.dirname, 'bmc-sweep/run.ts')],
    {
      stdio: 'inherit',
      env: {
        NODE_COMPILE_CACHE: compiled,
        ...process.env,
        MALLOC_ARENA_MAX: '1',
        MALLOC_TRIM_THRESHOLD_: '262144',
        MALLOC_MMAP_THRESHOLD_: '65536',
      },
    },
  )
  const [code] = (await once(child, 'exit')) as [number | null]
  process.exitCode = code ?? 1
}
