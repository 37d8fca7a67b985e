import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Fleet } from '../rack/paper/fleet.ts'
import { serve } from '../scenarios/bloomery-process.ts'
import { makeVersions } from './image/versions.ts'

/** What a second version of an image costs, when a twentieth of it has changed: bytes that `bloomery image push` uploads, and bytes that a site pulls which
 * has the first one; each version in a cloud of its own. BENCH_OLD and BENCH_NEW: two images of your own instead. */

const MEBIBYTES = Number(process.env['BENCH_IMAGE_MIB'] ?? 100)
const MB = 1e6
const DEADLINE_MS = 1_800_000

export async function bench(): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'bench-version-'))
  try {
    const { BENCH_OLD: old, BENCH_NEW: later } = process.env
    const { first, others } =
      old !== undefined && later !== undefined
        ? { first: old, others: [{ what: later, path: later }] }
        : await makeVersions(dir, MEBIBYTES)
    for (const { what, path } of others)
      for (const base of [undefined, first]) {
        const { before, uploaded, pulled } = await measure(dir, first, path, base)
        const share = (bytes: number): string =>
          `${(bytes / MB).toFixed(1)} MB (${((100 * bytes) / before).toFixed(1)} %)`
        console.log(
          `${what}${base === undefined ? '' : ', --base'}: ${share(uploaded)} uploaded, ${share(pulled)} pulled, of ${(before / MB).toFixed(1)} MB`,
        )
      }
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

async function measure(dir: string, first: string, second: string, base: string | undefined) {
  const data = join(dir, 'cloud')
  const cloud = await serve(data)
  let pulled = 0
  const imageBytes = (bytes: number): void => void (pulled += bytes)
  const fleet = new Fleet({ endpoint: cloud.endpoint, sites: 1, machinesPerSite: 1, speed: 1, imageBytes })
  const bloomery = async (...words: string[]): Promise<string> => {
    const program = join(import.meta.dirname, '../../bin/bloomery')
    const environment = { PATH: process.env['PATH'], TMPDIR: dir, HOME: dir }
    const running = promisify(execFile)(program, [...words, '--endpoint', cloud.endpoint], {
      env: environment,
      timeout: DEADLINE_MS,
      maxBuffer: 16e6,
    })
    return (await running).stdout
  }
  const upload = async (name: string, file: string, ...more: string[]): Promise<number> =>
    Number(
      /(\d+) bytes uploaded/.exec(await bloomery('image', 'push', file, '--name', name, '--unsigned', ...more))?.[1],
    )
  try {
    await fleet.join()
    const site = fleet.sites[0]!.name
    const before = await upload('first', first)
    await bloomery('image', 'prefetch', 'first', '--site', site)
    pulled = 0
    const uploaded = await upload('second', second, ...(base === undefined ? [] : ['--base', base]))
    await bloomery('image', 'prefetch', 'second', '--site', site)
    return { before, uploaded, pulled }
  } finally {
    await fleet.tearDown()
    await cloud.kill('SIGTERM')
    rmSync(data, { recursive: true, force: true })
  }
}
