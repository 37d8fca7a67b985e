import { run } from '../programs.ts'
import { dataOffset, type Level } from './wanted.ts'

/** The kernel's arrays, by mdadm(8). Assembled wherever the disks are: no host of ours has a name that counts. */
const anyHost = '--homehost=any'

export interface NewArray {
  device: string
  name: string
  level: Level
  members: readonly string[]
}

export async function createArray({ device, name, level, members }: NewArray): Promise<void> {
  const args = ['--create', device, '--run', '--force', anyHost, `--name=${name}`, '--metadata=1.2']
  args.push(`--level=${level === '1+0' ? '10' : level}`, `--raid-devices=${members.length}`)
  args.push(`--data-offset=${dataOffset / 1024}K`, ...members)
  await run('mdadm', args, 120)
}

/** Starts what is there of arrays, also with disks missing. Nothing to be found is no error, and has exit codes of its own. */
export async function assembleArrays(): Promise<void> {
  await run('mdadm', ['--assemble', '--scan', '--run', anyHost], 120).catch(() => undefined)
}

export async function stopArray(device: string): Promise<void> {
  await run('mdadm', ['--stop', device], 60)
}

export async function forgetMember(partition: string): Promise<void> {
  await run('mdadm', ['--zero-superblock', '--force', partition], 60)
}

/** As it was made: `any:root` is `root`. */
export async function nameOf(device: string): Promise<string | undefined> {
  const told = (await run('mdadm', ['--detail', '--export', device], 30)).toString('utf8')
  return parseName(told)
}

export function parseName(exported: string): string | undefined {
  return /^MD_NAME=(?:[^:\n]*:)?([^\n]+)$/m.exec(exported)?.[1]
}
