import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { CHUNK_BYTES } from '../../contract/images/manifest.ts'
import { makeImage } from '../../contract/images/testing.ts'
import { buildAgent } from '../../agent/bundle.ts'
import { MiB } from '../../agent/disks/disk.ts'
import { contents, usedDisk } from '../../agent/disks/loop-disk.ts'
import { openLink } from '../rack/images/link.ts'
import { openPeerSite } from '../rack/images/peer-site.ts'

/** An agent that is killed while it writes (its machine lost power) leaves nothing that boots, wherever it was; the next one writes all of it. */

const image = Buffer.concat([randomBytes(6 * MiB), Buffer.alloc(20 * MiB), randomBytes(5 * MiB), randomBytes(4096)])
image.fill(0, 440, 512)
image.set([0, 0, 2, 0, 0x83, 0, 0, 0, 0, 8, 0, 0, 0, 0x10, 0, 0], 446)
image.set([0x55, 0xaa], 510)
const made = makeImage(image)
/** All that one agent takes. */
const stored = made.manifest.stored_size
const LIMIT = 300_000

test(
  'killed after any part of the image, the disk does not boot; written again, it is the image byte for byte',
  async () => {
    const dir = mkdtempSync(join(tmpdir(), 'image-killed-'))
    onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
    const program = join(dir, 'agent.mjs')
    await buildAgent(program, join(import.meta.dirname, '../bench/image/agent-process.ts'))
    const site = await openPeerSite(made, { dir: join(dir, 'chunks'), above: 4 })
    onTestFinished(() => site.close())
    const disk = usedDisk(48)
    let plan = 0
    /** Until so many bytes of chunks have gone out to it; undefined: to its end. */
    const run = async (bytes?: number): Promise<number | null> => {
      plan += 1
      // What is on its way is taken slowly enough that a kill comes in between.
      const link = await openLink(site.port, () => undefined, bytes === undefined ? undefined : 4 * MiB)
      const info = await site.infoFor(`plan-${plan}`, link.port)
      const before = site.toAgents
      const stdio = ['ignore', 'ignore', 'pipe'] as const
      const agent = spawn(process.execPath, [program, JSON.stringify({ disk, info })], { stdio: [...stdio] })
      let said = ''
      agent.stderr?.on('data', (text: Buffer) => (said = (said + text.toString()).slice(-2000)))
      const exit = once(agent, 'exit') as Promise<[number | null]>
      if (bytes !== undefined) {
        const passed = (): number => (agent.exitCode === null ? site.toAgents - before : Infinity)
        await expect.poll(passed, { timeout: 60_000, interval: 5 }).toBeGreaterThanOrEqual(bytes)
        agent.kill('SIGKILL')
      }
      const [code] = await exit
      if (code) throw new Error(`the agent ended with ${code}: ${said}`)
      await link.close()
      return code
    }
    const killed: number[] = []
    for (const part of [0, 0.3, 0.6, 0.9]) {
      const code = await run(Math.floor(part * stored))
      if (code === null) killed.push(part)
      // The last bytes may have been through before the signal was.
      const isWhole = contents(disk, image.length).equals(image)
      expect(isWhole || contents(disk, CHUNK_BYTES).every((byte) => byte === 0xaa || byte === 0)).toBe(true)
    }
    expect(killed.length).toBeGreaterThan(1)
    expect(await run()).toBe(0)
    expect(contents(disk, image.length).equals(image)).toBe(true)
  },
  LIMIT,
)
