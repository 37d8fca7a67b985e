import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { generatedKey } from './generated-key.ts'

it('makes pairs whose halves ssh-keygen finds to belong together', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'generated-key-'))
  try {
    const { public_key, private_key } = await generatedKey()
    writeFileSync(join(dir, 'key'), private_key, { mode: 0o600 })
    const derived = execFileSync('ssh-keygen', ['-y', '-f', join(dir, 'key')], { encoding: 'utf8' }).trim()
    expect(public_key).toBe(`${derived} Generated-by-Bloomery`)
  } finally {
    rmSync(dir, { recursive: true })
  }
})
