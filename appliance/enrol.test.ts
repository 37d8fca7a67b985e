import 'reflect-metadata'
import { X509Certificate } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Pkcs10CertificateRequest } from '@peculiar/x509'
import { expect, it } from 'vitest'
import { open, seal } from '../contract/seal.ts'
import { enrol } from './enrol.ts'
import { readIdentity } from './identity.ts'
import { temporaryFolder } from './testing/temporary-folder.ts'
import { selfSigned } from './certificates.ts'

const uuid = '1be26c0b-03f2-4d2e-ae87-c02d7f33c123'
const answer = {
  appliance: uuid,
  site: 'berlin',
  certificate: 'certificate',
  authorities: 'authorities',
  broker: 'mqtts://cloud.example:8883',
}

const now = new Date('2026-11-24T03:00:00.000Z')

interface Asked {
  url: string
  body: { token: string; name: string; csr: string; sealing_key: string }
}

async function joinSite(
  reply: { status: number; text: string },
  path = join(temporaryFolder(), 'data', 'identity.json'),
) {
  const asked: Asked[] = []
  const post = async (url: string, body: string) => {
    asked.push({ url, body: JSON.parse(body) as Asked['body'] })
    return reply
  }
  const me = enrol({
    endpoint: 'https://cloud.example/',
    token: 'one-time',
    name: 'rack-7',
    path,
    now: () => now,
    post,
  })
  return { me, asked, path }
}
const good = { status: 201, text: JSON.stringify(answer) }

it('asks with the token, a request for a certificate that proves its key, and a key to seal to', async () => {
  const { me, asked } = await joinSite(good)
  const { sealingKey } = await me
  expect(asked[0]!.url).toBe('https://cloud.example/v1/enrol')
  const { token, name, csr, sealing_key: key } = asked[0]!.body
  expect([token, name]).toEqual(['one-time', 'rack-7'])
  const request = new Pkcs10CertificateRequest(csr)
  expect(request.subject).toBe('CN=rack-7')
  expect(await request.verify()).toBe(true)
  expect(open(seal('hush', 'x', [{ appliance: uuid, key }]), 'x', uuid, sealingKey)).toBe('hush')
})

it('keeps its keys to itself, in a file that only its owner can read', async () => {
  const { me, asked, path } = await joinSite(good)
  const { privateKey, sealingKey } = await me
  expect(JSON.stringify(asked)).not.toContain(sealingKey)
  expect(JSON.stringify(asked)).not.toContain('PRIVATE')
  expect(privateKey).toContain('BEGIN PRIVATE KEY')
  expect(statSync(path).mode & 0o777).toBe(0o600)
  expect(statSync(join(path, '..')).mode & 0o777).toBe(0o700)
  expect(readdirSync(join(path, '..'))).toEqual(['identity.json'])
  expect(readIdentity(path)).toEqual(await me)
})

it('does not take over the mode of what a broken attempt left', async () => {
  const path = join(temporaryFolder(), 'identity.json')
  writeFileSync(`${path}.part`, 'half', { mode: 0o644 })
  await (
    await joinSite(good, path)
  ).me
  expect(statSync(path).mode & 0o777).toBe(0o600)
})

it.each([
  [{ status: 401, text: 'the token has expired' }, 'the cloud refused the enrolment (HTTP 401): the token has expired'],
  [
    { status: 401, text: JSON.stringify({ error_message: '{"faultstring":"It is used."}' }) },
    '(HTTP 401): It is used.',
  ],
  [{ status: 200, text: '<html>' }, "the cloud's answer to the enrolment is not understood"],
  [{ status: 200, text: '{}' }, 'appliance'],
  [{ status: 200, text: JSON.stringify({ ...answer, broker: 'mqtt://in-clear' }) }, 'broker'],
])('writes nothing when the cloud answers %j, and says why', async (reply, why) => {
  const { me, path } = await joinSite(reply)
  await expect(me).rejects.toThrow(why)
  expect(existsSync(path)).toBe(false)
})

it('keeps the identity that it has when a new enrolment fails', async () => {
  const { me, path } = await joinSite(good)
  await me
  const before = readFileSync(path, 'utf8')
  await expect((await joinSite({ status: 403, text: 'no' }, path)).me).rejects.toThrow('HTTP 403')
  expect(readFileSync(path, 'utf8')).toBe(before)
})

it('says what to do when it has none, or a damaged one, and quotes nothing of it', () => {
  const path = join(temporaryFolder(), 'identity.json')
  expect(() => readIdentity(path)).toThrow('run `bloomery appliance enrol` first')
  for (const damaged of ['{"privateKey": "hush-hush', JSON.stringify({ privateKey: 'hush-hush' })]) {
    writeFileSync(path, damaged)
    expect(() => readIdentity(path)).toThrow('enrol again')
    let said = ''
    try {
      readIdentity(path)
    } catch (error) {
      said = String(error) + String((error as Error).cause)
    }
    expect(said).not.toContain('hush')
  }
})

it('has a certificate for its door that is good for that address, now and for a while', async () => {
  const now = new Date()
  const certificate = new X509Certificate((await selfSigned('192.0.2.5', now)).certificate)
  expect(certificate.checkIP('192.0.2.5')).toBe('192.0.2.5')
  expect(Date.parse(certificate.validFrom)).toBeLessThan(now.getTime())
  expect(Date.parse(certificate.validTo)).toBeGreaterThan(now.getTime() + 300 * 86_400_000)
})
