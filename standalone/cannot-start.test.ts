import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { cannotListen } from './cannot-listen.ts'
import { makeDataDir } from './data-dir.ts'
import { Database } from './database.ts'
import { listen } from './http.ts'
import { lockDirectory } from './lock.ts'
import { secretFile } from './secret-file.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'bloomery-start-'))
})
afterEach(() => rmSync(dir, { recursive: true }))

describe('a cloud that cannot start', () => {
  it('names the server and the setting when its port is taken', async () => {
    const other = createServer()
    const port = await new Promise<number>((resolve) =>
      other.listen(0, '127.0.0.1', () => resolve((other.address() as { port: number }).port)),
    )
    const at = { host: '127.0.0.1', port }
    const error: unknown = await listen({ fetch: () => new Response(), ...at }).catch((cause: unknown) => cause)
    expect(cannotListen('API', at, error).message).toBe(
      `the API can't listen on 127.0.0.1:${port}: another program does: stop it, or choose another --port`,
    )
    expect(cannotListen('MQTT broker', at, error).message).toContain('--broker-port')
    await new Promise((resolve) => other.close(resolve))
  })

  it.each([
    ['EADDRNOTAVAIL', 'correct --broker-host'],
    ['EACCES', 'choose a --broker-port above 1023'],
  ])('says for %s what to do', (code, remedy) => {
    const error = cannotListen('MQTT broker', { host: '192.0.2.1', port: 83 }, Object.assign(new Error(code), { code }))
    expect(error.message).toContain(remedy)
  })

  it('says which option a folder that cannot be made comes from', async () => {
    writeFileSync(join(dir, 'file'), '')
    await expect(makeDataDir(join(dir, 'file', 'data'))).rejects.toThrow(/cannot write in .*--data-dir/)
  })

  it('names a database that is damaged', () => {
    const path = join(dir, 'bloomery.sqlite')
    writeFileSync(path, 'no database'.repeat(1000))
    expect(() => new Database(path)).toThrow(`the database ${path} can't be used`)
  })

  it('blames another process only where there is one', () => {
    const unlock = lockDirectory(dir)
    expect(() => lockDirectory(dir)).toThrow('another bloomery process')
    unlock()
    mkdirSync(join(dir, 'damaged'))
    writeFileSync(join(dir, 'damaged', 'lock'), 'no database'.repeat(1000))
    expect(() => lockDirectory(join(dir, 'damaged'))).toThrow("can't be locked")
  })

  it('takes no secret that lost some of its letters', async () => {
    const path = join(dir, 'key')
    const secret = await secretFile(path, 'hex')
    expect(await secretFile(path, 'hex')).toBe(secret)
    writeFileSync(path, secret.slice(2))
    await expect(secretFile(path, 'hex')).rejects.toThrow(`${path} is not the key`)
  })
})
