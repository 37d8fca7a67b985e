import { X509Certificate } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { connect, type Redfish } from './client.ts'
import { readPower } from './power.ts'
import { type RunningRedfish, startRedfish, type StartRedfishOptions } from './server.ts'
import { findSystem } from './system.ts'
import { selfSigned } from './testing/certificate.ts'
import { paperMachine } from './testing/paper-machine.ts'
import type { TlsPolicy } from './tls.ts'

const fresh = selfSigned(2)
const other = selfSigned(2)
const expired = selfSigned(-1)
let server: RunningRedfish
let bmc: Redfish | undefined

beforeEach(() => start(fresh))
afterEach(async () => {
  await bmc?.close()
  bmc = undefined
  await server.close()
})

async function start(tls: NonNullable<StartRedfishOptions['tls']>): Promise<void> {
  const users = [{ name: 'admin', password: 'paper-secret' }]
  const onError = (error: unknown): never => {
    throw error
  }
  server = await startRedfish({ host: '127.0.0.1', port: 0, users, machine: paperMachine(), tls, onError })
}

async function poll(tls?: TlsPolicy): Promise<string> {
  bmc = await connect({
    address: server.url,
    username: 'admin',
    password: 'paper-secret',
    timeoutMs: 30_000,
    ...(tls ? { tls } : {}),
  })
  return readPower(bmc, await findSystem(bmc))
}

const fingerprint = ({ cert }: { cert: string }): string => new X509Certificate(cert).fingerprint256

it('a BMC that is too old for TLS 1.2 is spoken to only where that is asked for', async () => {
  await server.close()
  await start({ ...fresh, minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' })
  await expect(poll({ verify: false })).rejects.toThrow(/TLS/)
  expect(await poll({ verify: false, minimumVersion: 'TLSv1.1' })).toBe('off')
})

describe('the certificate of a BMC', () => {
  it('is verified unless told otherwise', async () => {
    await expect(poll()).rejects.toThrow(
      /^BMC 127\.0\.0\.1:\d+, read service root: the BMC's TLS certificate is self-signed; renew/,
    )
    expect(await poll({ verify: false })).toBe('off')
  })

  it('is verified by the authority that is given, and by no other', async () => {
    expect(await poll({ verify: fresh.cert })).toBe('off')
    await expect(poll({ verify: other.cert })).rejects.toThrow(/TLS|self-signed/)
  })

  it('can be pinned, whoever signed it', async () => {
    expect(await poll({ verify: true, pin: fingerprint(fresh) })).toBe('off')
    expect(await poll({ verify: true, pin: fingerprint(fresh).replaceAll(':', '').toLowerCase() })).toBe('off')
  })

  it('that is not the pinned one gets no request, let alone a password', async () => {
    await expect(poll({ verify: false, pin: fingerprint(other) })).rejects.toThrow(/certificate is not the pinned one/)
    expect(server.state.sessions.size).toBe(0)
  })

  it('that has expired is said to have', async () => {
    await server.close()
    await start(expired)
    await expect(poll({ verify: expired.cert })).rejects.toThrow(
      /TLS certificate has expired; renew the certificate on the BMC/,
    )
  })
})
