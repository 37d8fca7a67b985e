import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { serialPosition, waitForSerial } from './serial.ts'

let folder: string
let log: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'serial-'))
  log = join(folder, 'serial.log')
  await writeFile(log, 'old login:\r\n')
})
afterEach(() => rm(folder, { recursive: true }))

test('a wait ends when the text appears', async () => {
  const waiting = waitForSerial(log, /hostname is (\w+)/, { timeoutMs: 30_000 })
  await appendFile(log, 'hostname is web1\r\n')
  expect(await waiting).toBe('hostname is web1')
})

test('what was said before the position is not seen', async () => {
  const from = await serialPosition(log)
  await expect(waitForSerial(log, /login:/, { timeoutMs: 50, from })).rejects.toThrow('did not say')
})

test('a wait in vain tells the last lines, without escape sequences', async () => {
  await appendFile(log, '\x1b[2J\x1b[01;01HKernel panic\r\n')
  await expect(waitForSerial(log, /login now/, { timeoutMs: 50 })).rejects.toThrow(/50 ms.*\nold login:\nKernel panic/s)
})
