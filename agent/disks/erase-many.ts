import { z } from 'zod'
import type { CommandProgress, NodeParam } from '../../contract/agent.ts'
import { CommandFailure } from '../failure.ts'
import { reason } from '../log.ts'
import type { Disk } from './disk.ts'
import { readHints } from './hints.ts'

const skipped = z.array(z.record(z.string(), z.unknown())).max(64)

/** The disks that cleaning is about: those that properties/skip_block_devices, a list of hints, doesn't name. */
export function erasable(disks: readonly Disk[], { properties }: NodeParam): Disk[] {
  const given = properties?.['skip_block_devices']
  if (given === undefined || given === null) return [...disks]
  const parsed = skipped.safeParse(given)
  if (!parsed.success)
    throw new CommandFailure(
      'InvalidCommandParamsError',
      'skip_block_devices is a list of hints, such as {"serial": "…"}',
      {
        code: 400,
      },
    )
  const spared = parsed.data.map((hints) => readHints(hints)).filter((tests) => tests.length > 0)
  return disks.filter((disk) => !spared.some((tests) => tests.every((test) => test(disk))))
}

/** Some at once; all are tried, and then those that failed are named. */
export async function eraseEach(
  disks: readonly Disk[],
  concurrency: number,
  erase: (disk: Disk, progress: (done: number) => void) => Promise<void>,
  progress: (progress: CommandProgress) => void,
): Promise<void> {
  const done = new Map(disks.map((disk) => [disk, 0]))
  const total = disks.reduce((sum, { size }) => sum + size, 0)
  const began = performance.now()
  const failures: string[] = []
  const queue = [...disks]
  const worker = async (): Promise<void> => {
    for (let disk = queue.shift(); disk !== undefined; disk = queue.shift()) {
      const mine = disk
      const report = (part: number): void => {
        done.set(mine, part)
        const bytes = disks.reduce((sum, each) => sum + each.size * (done.get(each) ?? 0), 0)
        const seconds = Math.max(0.001, (performance.now() - began) / 1000)
        progress({
          percent: Math.floor((bytes / total) * 1000) / 10,
          mb_per_second: Math.round(bytes / seconds / 100_000) / 10,
          bytes: Math.floor(bytes),
        })
      }
      await erase(mine, report).catch((error: unknown) => failures.push(`${mine.name}: ${reason(error)}`))
    }
  }
  await Promise.all(Array.from({ length: Math.min(concurrency, disks.length) }, worker))
  if (failures.length > 0) throw new CommandFailure('BlockDeviceEraseError', failures.join('; '))
}
