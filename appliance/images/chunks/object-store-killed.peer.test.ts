import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it, vi } from 'vitest'
import { sha256Of } from '../../../contract/images/manifest.ts'
import { temporaryFolder } from '../../testing/temporary-folder.ts'
import { openObjectStore } from './object-store.ts'

const KILLS = 4

function filesUnder(dir: string): string[] {
  if (!existsSync(dir)) return []
  return readdirSync(dir, { recursive: true, encoding: 'utf8' }).filter((path) => path.includes('-'))
}

it('a store that is killed in the midst of its writing gives what was put there or nothing, and clears up', async () => {
  const dir = join(temporaryFolder(), 'chunks')
  const program = new URL('filling-process.ts', import.meta.url).pathname
  for (let kill = 0; kill < KILLS; kill += 1) {
    const before = new Set(filesUnder(dir))
    const child = spawn(process.execPath, [program, dir], { stdio: ['ignore', 'ignore', 'inherit'] })
    const ended = once(child, 'exit')
    const fresh = (): number => filesUnder(dir).filter((path) => !path.endsWith('.part') && !before.has(path)).length
    await vi.waitUntil(
      () => {
        if (child.exitCode !== null) throw new Error(`the process that fills the store ended with ${child.exitCode}`)
        return fresh() > 4
      },
      { timeout: 60_000 },
    )
    child.kill('SIGKILL')
    await ended
    const store = openObjectStore({
      dir,
      quota: async () => Infinity,
      check: async (name, bytes) => name === `text-${sha256Of(bytes)}`,
      now: Date.now,
    })
    const whole = filesUnder(dir).filter((path) => !path.endsWith('.part'))
    expect(whole.length).toBeGreaterThan(0)
    for (const path of whole) {
      const name = path.split('/').at(-1)!
      const bytes = await store.get(name)
      expect(bytes && `text-${sha256Of(bytes)}`).toBe(name)
    }
    expect(filesUnder(dir).filter((path) => path.endsWith('.part'))).toEqual([])
  }
})
