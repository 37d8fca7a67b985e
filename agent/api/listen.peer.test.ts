import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it, onTestFinished } from 'vitest'
import { createLog } from '../log.ts'
import { createApp } from './app.ts'
import { createIdentity } from './certificate.ts'
import { CommandLedger } from './commands.ts'
import { listen } from './listen.ts'

const run = promisify(execFile)
const token = 'a-token-of-at-least-thirty-two-letters'

async function agent() {
  const now = Date.now()
  const log = createLog(
    () => undefined,
    () => now,
  )
  const ledger = new CommandLedger({ table: {}, log, newId: () => 'id', finished: () => undefined })
  const app = createApp({ ledger, log, token, version: '1.2.3', startedAt: 17 })
  const identity = await createIdentity('127.0.0.1', now)
  const listening = await listen(app, { host: '127.0.0.1', port: 0, identity, minVersion: 'TLSv1.3' })
  const folder = await mkdtemp(join(tmpdir(), 'agent-listen-'))
  onTestFinished(async () => {
    await listening.close()
    await rm(folder, { recursive: true })
  })
  const ca = join(folder, 'ca.pem')
  await writeFile(ca, identity.certificate)
  return { ca, folder, url: `https://127.0.0.1:${listening.port}` }
}

it('curl believes the posted certificate and nothing else', async () => {
  const { ca, url } = await agent()
  const { stdout } = await run('curl', ['-sS', '--cacert', ca, `${url}/v1/status`])
  expect(JSON.parse(stdout)).toEqual({ started_at: 17, version: '1.2.3' })
  await expect(run('curl', ['-sS', `${url}/v1/status`])).rejects.toThrow('certificate')
  const other = new URL(url)
  other.hostname = 'localhost'
  await expect(run('curl', ['-sS', '-4', '--cacert', ca, `${other.href}v1/status`])).rejects.toThrow('localhost')
})

it('openssl finds an EC certificate for the address that is an hour old and lasts a month', async () => {
  const { ca } = await agent()
  const { stdout } = await run('openssl', ['x509', '-in', ca, '-noout', '-text', '-checkend', '2500000'])
  expect(stdout).toContain('NIST CURVE: P-384')
  expect(stdout).toContain('IP Address:127.0.0.1')
  expect(stdout).toContain('Certificate will not expire')
  await run('openssl', ['verify', '-CAfile', ca, '-attime', String(Math.floor(Date.now() / 1000) - 3000), ca])
})

it('refuses a stranger whatever the size of what he sends, and goes on serving', async () => {
  const { ca, url, folder } = await agent()
  const body = join(folder, 'body')
  await writeFile(body, Buffer.alloc(8 * 1024 * 1024, 0x20))
  const args = ['-sS', '--cacert', ca, '-w', '%{http_code}', '-o', '/dev/null']
  const refused = await run('curl', [...args, '--data-binary', `@${body}`, `${url}/v1/commands/?agent_token=wrong`])
  expect(refused.stdout).toBe('401')
  expect((await run('curl', [...args, `${url}/v1/status`])).stdout).toBe('200')
})
