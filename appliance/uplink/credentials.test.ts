import { X509Certificate } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { beforeEach, expect, it } from 'vitest'
import { selfSigned } from '../certificates.ts'
import { writeIdentity } from '../identity-file.ts'
import { readIdentity, type Identity } from '../identity.ts'
import { memoryLog } from '../testing/memory-log.ts'
import { temporaryFolder } from '../testing/temporary-folder.ts'
import { type Credentials, openCredentials } from './credentials.ts'
import { signedFor } from '../testing/signed-for.ts'

const DAY = 86_400_000
const first = await selfSigned('192.0.2.1', new Date())
const stranger = await selfSigned('192.0.2.2', new Date())
const issued_at = '2026-11-24T00:00:00.000Z'
const life = { issued_at, expires_at: '2027-11-24T00:00:00.000Z', received_at: issued_at }
const identity: Identity = {
  uuid: '1be26c0b-03f2-4d2e-ae87-c02d7f33c123',
  name: 'rack-7',
  site: 'berlin',
  broker: 'mqtts://cloud.example:8883',
  ...first,
  authorities: first.certificate,
  sealingKey: '',
  life,
}

let path: string
let now: number
let log: ReturnType<typeof memoryLog>
let reconnects: number
let troubles: string[]
let credentials: Credentials

/** A new life of the program on the same disk. */
function start(): void {
  credentials = openCredentials({ path, identity: readIdentity(path), clock: { now: () => new Date(now) }, log })
  credentials.onChange(() => (reconnects += 1))
  credentials.onTrouble((text) => troubles.push(text))
}
beforeEach(() => {
  path = join(temporaryFolder(), 'identity.json')
  now = Date.parse(issued_at)
  log = memoryLog()
  reconnects = 0
  troubles = []
  writeIdentity(path, identity)
  start()
})

function connect(): string {
  const { certificate } = credentials.pair()
  credentials.connected()
  return certificate
}
function cut(): void {
  credentials.closed()
}
/** An attempt of which nothing comes. */
function fail(): string {
  const { certificate } = credentials.pair()
  credentials.closed()
  return certificate
}

async function asked(): Promise<string> {
  now += 0.9 * 365 * DAY
  const { csr } = await credentials.told()
  expect(csr).toContain('CERTIFICATE REQUEST')
  return csr!
}
async function renew(): Promise<string> {
  const certificate = await signedFor(await asked())
  credentials.renewed(answer(certificate))
  return certificate
}
const answer = (certificate: string) => ({
  v: 1 as const,
  kind: 'renewed' as const,
  certificate,
  authorities: stranger.certificate,
  issued_at: new Date(now).toISOString(),
  expires_at: new Date(now + 365 * DAY).toISOString(),
})

const digest = (pem: string): string => new X509Certificate(pem).fingerprint256.replaceAll(':', '').toLowerCase()

it('asks for nothing while its certificate is young', async () => {
  connect()
  expect(Object.keys(await credentials.told())).toEqual(['sha256'])
})

it('asks with the same request until it is answered, less and less often, and after a restart too', async () => {
  connect()
  const csr = await asked()
  expect(await credentials.told()).not.toHaveProperty('csr')
  now += 61_000
  expect(await credentials.told()).toHaveProperty('csr', csr)
  now += 61_000
  expect(await credentials.told()).not.toHaveProperty('csr')
  start()
  expect(await credentials.told()).toHaveProperty('csr', csr)
})

it('makes one key, however many ask at once', async () => {
  connect()
  now += 0.9 * 365 * DAY
  const told = await Promise.all([credentials.told(), credentials.told(), credentials.told()])
  expect(new Set(told.flatMap(({ csr }) => csr ?? [])).size).toBe(1)
})

it('connects by the new one when it has come, and forgets the former when that has been', async () => {
  connect()
  const renewed = await renew()
  expect(reconnects).toBe(1)
  expect(readIdentity(path)).toMatchObject({ ...first, next: { certificate: renewed } })
  cut()
  expect(connect()).toBe(renewed)
  expect(readIdentity(path)).toMatchObject({ certificate: renewed, authorities: stranger.certificate })
  expect(readIdentity(path)).not.toHaveProperty('next')
  expect(Object.keys(await credentials.told())).toEqual(['sha256'])
  cut()
  expect(fail()).toBe(renewed)
  expect(connect()).toBe(renewed)
})

it('tells of the new one only when it is written as its own', async () => {
  connect()
  const before = (await credentials.told()).sha256
  await renew()
  expect((await credentials.told()).sha256).toBe(before)
  cut()
  connect()
  expect((await credentials.told()).sha256).not.toBe(before)
})

it('takes turns while the network is away, whichever is tried when it is back', async () => {
  connect()
  const renewed = await renew()
  cut()
  expect([fail(), fail(), fail(), fail()]).toEqual([renewed, first.certificate, renewed, first.certificate])
  expect(connect()).toBe(renewed)
})

it('goes on with the former where the broker refuses the new one, says so, and asks for another', async () => {
  connect()
  const renewed = await renew()
  for (let each = 1; each <= 3; each += 1) {
    cut()
    expect(fail()).toBe(renewed)
    expect(connect()).toBe(first.certificate)
    const before = reconnects
    await credentials.told()
    now += 301_000
    await credentials.told()
    // Tried again after five minutes, until it is given up.
    expect(reconnects - before).toBe(each < 3 ? 1 : 0)
  }
  expect(troubles).toEqual([expect.stringContaining('the broker refused the new one 3 times')])
  expect(readIdentity(path)).not.toHaveProperty('next')
  now += 3_600_000
  expect((await credentials.told()).csr).toBeDefined()
})

it.each([
  ['for another key', () => Promise.resolve(stranger.certificate), 'is for another key'],
  ['no certificate', () => Promise.resolve('nonsense'), 'is no certificate'],
])('keeps what it has when the cloud sends what is %s', async (_, made, why) => {
  connect()
  await asked()
  credentials.renewed(answer(await made()))
  expect(reconnects).toBe(0)
  expect(troubles.join()).toContain(why)
  expect(readIdentity(path)).toEqual({ ...identity })
})

it('takes no notice of a certificate that it did not ask for, or has already', async () => {
  connect()
  credentials.renewed(answer(stranger.certificate))
  expect(readIdentity(path)).toEqual(identity)
  const renewed = await renew()
  credentials.renewed(answer(renewed))
  cut()
  connect()
  credentials.renewed(answer(renewed))
  expect(reconnects).toBe(1)
})

it('goes on with both where its disk is full', async () => {
  connect()
  const renewed = await renew()
  cut()
  const written = path
  path = join(temporaryFolder(), 'a file', 'identity.json')
  writeFileSync(join(path, '..'), '')
  const identityNow = readIdentity(written)
  credentials = openCredentials({ path, identity: identityNow, clock: { now: () => new Date(now) }, log })
  expect(connect()).toBe(renewed)
  expect(log.lines.some(({ level }) => level === 'error')).toBe(true)
  cut()
  expect([fail(), fail()]).toEqual([renewed, first.certificate])
})

/** A broker that has retired the former as soon as it heard of the new one by it. */
it('wherever it is killed, and whatever is refused on the way, it comes back by one that the broker takes', async () => {
  const step = fc.constantFrom('kill', 'cut', 'connect', 'connect', 'told', 'told', 'answer', 'pass', 'forget')
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      writeIdentity(path, identity)
      now = Date.parse(issued_at) + 0.9 * 365 * DAY
      let own = first.certificate
      let next: { csr: string; certificate: string } | undefined
      let isUp = false
      start()
      const tryToConnect = (): void => {
        const { certificate } = credentials.pair()
        isUp = certificate === own || certificate === next?.certificate
        if (isUp) credentials.connected()
        else credentials.closed()
      }
      for (const each of steps) {
        if (each === 'kill') {
          start()
          isUp = false
        } else if (each === 'cut') {
          credentials.closed()
          isUp = false
        } else if (each === 'connect' && !isUp) tryToConnect()
        else if (each === 'pass') now += DAY
        // As one that was restored from a backup.
        else if (each === 'forget') next = undefined
        else if (each === 'told' && isUp) {
          const { sha256, csr } = await credentials.told()
          if (next && sha256 === digest(next.certificate)) [own, next] = [next.certificate, undefined]
          else if (csr && next?.csr !== csr) next = { csr, certificate: await signedFor(csr) }
        } else if (each === 'answer' && isUp && next) credentials.renewed(answer(next.certificate))
      }
      start()
      for (let attempt = 0; attempt < 2; attempt += 1) if (attempt === 0 || !isUp) tryToConnect()
      expect(isUp).toBe(true)
    }),
    { numRuns: 40 },
  )
})
