import { execFile } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import {
  deleteCertificate,
  generateCsr,
  httpsCertificates,
  installBootCertificates,
  installHttpsCertificate,
  listCertificates,
} from './certificate.ts'
import { connect, type Redfish } from './client.ts'
import { readSecureBoot } from './secure-boot.ts'
import { resetSecureBootKeys } from './secure-boot.ts'
import { enrolSecureBootKeys, readSecureBootKeys } from './secure-boot-keys.ts'
import { type RunningRedfish, startRedfish } from './server.ts'
import { findSystem, type System } from './system.ts'
import { selfSigned } from './testing/certificate.ts'
import { paperMachine } from './testing/paper-machine.ts'

/** Certificates by a BMC's own key, signed by an authority of openssl's. */

const run = promisify(execFile)
const factory = selfSigned(2)
let dir: string
let server: RunningRedfish
let bmc: Redfish
let system: System

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'redfish-ca-'))
  const [key, cert] = [join(dir, 'ca.key'), join(dir, 'ca.pem')]
  const algorithm = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-noenc']
  await run('openssl', [
    'req',
    '-x509',
    ...algorithm,
    '-keyout',
    key,
    '-out',
    cert,
    '-days',
    '2',
    '-subj',
    '/CN=Site CA',
  ])
})
afterAll(() => rm(dir, { recursive: true }))

beforeEach(async () => {
  const onError = (error: unknown): never => {
    throw error
  }
  const users = [{ name: 'admin', password: 'paper-secret' }]
  server = await startRedfish({ host: '127.0.0.1', port: 0, users, machine: paperMachine(), tls: factory, onError })
  bmc = await connect({ ...login(), tls: { verify: factory.cert } })
  system = await findSystem(bmc)
})
afterEach(async () => {
  await bmc.close()
  await server.close()
})

const login = () => ({ address: server.url, username: 'admin', password: 'paper-secret', timeoutMs: 30_000 })

async function sign(csr: string): Promise<string> {
  const [request, cert] = [join(dir, 'request.pem'), join(dir, 'signed.pem')]
  await writeFile(request, csr)
  await run('openssl', ['req', '-verify', '-noout', '-in', request])
  const by = ['-CA', join(dir, 'ca.pem'), '-CAkey', join(dir, 'ca.key'), '-copy_extensions', 'copy', '-days', '1']
  await run('openssl', ['x509', '-req', '-in', request, ...by, '-out', cert])
  return readFile(cert, 'utf8')
}

it('a certificate for the key that the BMC made takes the place of the one from the factory', async () => {
  const { collection, paths } = await httpsCertificates(bmc, system)
  expect(paths).toHaveLength(1)
  const csr = await generateCsr(bmc, collection, { commonName: 'bmc-1', alternativeNames: ['127.0.0.1', 'bmc-1'] })
  await installHttpsCertificate(bmc, system, await sign(csr))
  const authority = await readFile(join(dir, 'ca.pem'), 'utf8')
  const after = await connect({ ...login(), tls: { verify: authority } })
  expect((await listCertificates(after)).map(({ subject, issuer }) => [subject, issuer])).toEqual([
    ['bmc-1', 'Site CA'],
  ])
  await after.close()
  await expect(connect({ ...login(), tls: { verify: factory.cert } })).rejects.toThrow(/TLS/)
})

it('one with a key of its own does too, and neither is told when it is refused', async () => {
  const other = selfSigned(1)
  await installHttpsCertificate(bmc, system, other.cert, other.key)
  const pin = new X509Certificate(other.cert).fingerprint256
  await (await connect({ ...login(), tls: { verify: true, pin } })).close()
  const stranger = selfSigned(1)
  const refused = await installHttpsCertificate(bmc, system, stranger.cert).catch((error: unknown) => error)
  expect(String(refused)).toMatch(/replace a certificate: HTTP 400, "PropertyValueConflict/)
  const broken = await installHttpsCertificate(bmc, system, 'no certificate', stranger.key).catch((e: unknown) => e)
  expect(String(broken)).toMatch(/HTTP 400/)
  expect(String(broken)).not.toContain(stranger.key.split('\n')[1])
})

it('the firmware is given whom to trust when it boots by HTTPS, once each', async () => {
  await installBootCertificates(bmc, system, [factory.cert])
  await installBootCertificates(bmc, system, [factory.cert, selfSigned(1).cert])
  const held = (await listCertificates(bmc)).filter(({ path }) => path.includes('/Boot/Certificates/'))
  expect(held).toHaveLength(2)
  for (const { path } of held) await deleteCertificate(bmc, path)
  await deleteCertificate(bmc, held[0]!.path)
  expect(await listCertificates(bmc)).toHaveLength(1)
})

it("Secure Boot's keys are enrolled with the platform key last, and the firmware is in user mode then", async () => {
  await resetSecureBootKeys(bmc, system, 'DeleteAllKeys')
  expect(await readSecureBoot(bmc, system)).toMatchObject({ mode: 'SetupMode' })
  const pem = factory.cert
  await enrolSecureBootKeys(bmc, system, [
    { database: 'PK', certificates: [pem] },
    { database: 'KEK', certificates: [pem] },
    { database: 'db', certificates: [pem, pem.replaceAll('\n', '\r\n')] },
  ])
  await enrolSecureBootKeys(bmc, system, [{ database: 'db', certificates: [pem] }])
  const held = await readSecureBootKeys(bmc, system)
  expect(held.map(({ database, certificates }) => [database, certificates.length])).toEqual([
    ['PK', 1],
    ['KEK', 1],
    ['db', 1],
    ['dbx', 0],
  ])
  expect(await readSecureBoot(bmc, system)).toMatchObject({ mode: 'UserMode' })
})
