import { execFile } from 'node:child_process'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { buildAgent } from './bundle.ts'

it('the bundle is one file that plain node runs, and it ends with 1 when nobody answers its lookup', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'agent-bundle-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  await buildAgent(join(folder, 'agent.mjs'))
  expect(await readdir(folder)).toEqual(['agent.mjs'])
  const args = [join(folder, 'agent.mjs'), 'ipa-api-url=http://127.0.0.1:9 ipa-lookup-timeout=2']
  const [code, said] = await new Promise<[number, string]>((resolve) => {
    // In the ramdisk there is no node_modules to fall back on.
    execFile(process.execPath, args, { cwd: folder, timeout: 120_000 }, (error, stdout, stderr) =>
      resolve([Number(error?.code ?? 0), stdout + stderr]),
    )
  })
  const lines = said
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
  expect(lines.at(-1)).toMatchObject({ level: 'error', event: 'agent ended' })
  expect(String(lines.at(-1)?.because)).toContain('no lookup succeeded within 2 s')
  expect(code).toBe(1)
})
