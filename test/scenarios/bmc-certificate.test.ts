import { execFileSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { httpsCertificatesPath } from '@bloomery/redfish/service/state.ts'
import { selfSigned } from '@bloomery/redfish/testing/certificate.ts'
import { openBmcAuthority } from '../../appliance/bmc-authority.ts'
import type { Report } from '../../contract/messages.ts'
import type { Plan, Step } from '../../contract/plan.ts'
import { Fixture, step } from '../rack/paper/fixture.ts'

/** A BMC gets a certificate by the site's authority, made by openssl, and the site goes on trusting it. */

const dir = mkdtempSync(join(tmpdir(), 'bmc-ca-'))
const file = (name: string): string => join(dir, name)
const factory = selfSigned(30)
let fixture: Fixture

const algorithms = { ec: ['ec', '-pkeyopt', 'ec_paramgen_curve:secp384r1'], rsa: ['rsa:2048'] } as const
beforeAll(() => {
  writeFileSync(file('factory.pem'), factory.cert)
  for (const [name, algorithm] of Object.entries(algorithms)) {
    const made = ['-newkey', ...algorithm, '-noenc', '-keyout', file(`${name}.key`), '-out', file(`${name}.pem`)]
    const subject = ['-subj', `/O=Site/CN=BMC authority ${name}`, '-addext', 'keyUsage=critical,keyCertSign']
    execFileSync('openssl', ['req', '-x509', '-days', '20', ...made, ...subject], { stdio: 'pipe' })
  }
})
afterAll(() => rmSync(dir, { recursive: true }))
afterEach(() => fixture?.tearDown())

async function begin(authority?: keyof typeof algorithms): Promise<void> {
  const clock = { now: () => fixture.clock.now() } as Fixture['clock']
  const files = { certificate: file(`${authority}.pem`), key: file(`${authority}.key`) }
  fixture = new Fixture('redfish', authority ? { authority: openBmcAuthority(files, clock) } : {})
  fixture.machine.tls = factory
  await fixture.plugIn()
  await fixture.boot()
}

function planned(steps: Step[], driverInfo: Record<string, unknown>, generation = 1): Plan {
  // Paper time is quick, and the BMC's is not.
  const patient = steps.map((each) => ({ ...each, deadline_seconds: 86_400 }))
  const plan = fixture.plan('clean', patient, generation)
  Object.assign(plan.machine.driver_info, driverInfo)
  return plan
}

async function run(steps: Step[], driverInfo: Record<string, unknown>, generation = 1) {
  const plan = planned(steps, driverInfo, generation)
  fixture.cloud.send({ kind: 'run', node: fixture.node, generation, plan })
  return fixture.cloud.ended(plan.id)
}
const pins = () =>
  [...fixture.cloud.reports.values()]
    .filter((each): each is Extract<Report, { kind: 'certificate' }> => each.kind === 'certificate')
    .map(({ fingerprint }) => fingerprint)
const served = (): string => fixture.machine.redfish.tls!.cert
const renew = step('management.renew_bmc_certificate', { alternative_names: ['bmc-1.example'] })
const trustsFactory = () => ({ redfish_verify_ca: file('factory.pem') })

describe.each(['ec', 'rsa'] as const)('by an authority with a key of kind %s', (kind) => {
  test('the certificate is valid to openssl, and known by its fingerprint where its authority is not trusted', async () => {
    await begin(kind)
    const end = await run([renew, step('power.validate')], trustsFactory())
    expect([end.phase, end.note]).toEqual(['done', null])
    writeFileSync(file('served.pem'), served())
    const verify = [
      '-verify_ip',
      '127.0.0.1',
      '-verify_hostname',
      'bmc-1.example',
      '-purpose',
      'sslserver',
      '-x509_strict',
    ]
    // Its first address is its only one: openssl asks for one of them at a time.
    for (const names of [verify.slice(0, 2), verify.slice(2, 4)])
      expect(
        execFileSync(
          'openssl',
          ['verify', '-CAfile', file(`${kind}.pem`), ...names, ...verify.slice(4), file('served.pem')],
          {
            encoding: 'utf8',
          },
        ),
      ).toMatch(/OK/)
    const { fingerprint256 } = new X509Certificate(served())
    expect(pins()).toEqual([fingerprint256])
    const after = { ...trustsFactory(), redfish_certificate_fingerprint: fingerprint256 }
    expect(await run([step('power.validate')], after, 2)).toMatchObject({ phase: 'done' })
    // Which has no connection of before.
    fixture.site!.kill()
    await fixture.boot()
    expect(await run([step('power.validate')], trustsFactory(), 3)).toMatchObject({
      phase: 'failed',
      note: expect.stringMatching(/renew the certificate on the BMC, give the CA/),
    })
  })
})

test('where its authority is trusted nothing is pinned; where one is pinned, the new one is', async () => {
  await begin('ec')
  writeFileSync(file('both.pem'), factory.cert + readFileSync(file('ec.pem'), 'utf8'))
  const trust = { redfish_verify_ca: file('both.pem') }
  expect(await run([renew], trust)).toMatchObject({ phase: 'done' })
  expect(pins()).toEqual([])
  const first = new X509Certificate(served()).fingerprint256
  const pinned = { ...trust, redfish_certificate_fingerprint: first.replaceAll(':', '').toLowerCase() }
  expect(await run([renew, step('power.validate')], pinned, 2)).toMatchObject({ phase: 'done' })
  const second = new X509Certificate(served()).fingerprint256
  expect(second).not.toBe(first)
  expect(pins()).toEqual([second])
})

test.each(['memo of management.renew_bmc_certificate', 'after management.renew_bmc_certificate'])(
  'the appliance killed at %s goes on with the certificate that the BMC has',
  async (point) => {
    await begin('ec')
    fixture.site!.kill()
    let left = point.startsWith('memo') ? 2 : 1
    await fixture.boot((at) => {
      if (at !== point || left === 0) return
      left -= 1
      if (left === 0) throw new Error('power cut')
    })
    const plan = planned([renew], trustsFactory())
    fixture.cloud.send({ kind: 'run', node: fixture.node, generation: 1, plan })
    await expect.poll(() => left, { timeout: 30_000 }).toBe(0)
    await fixture.boot()
    expect(await fixture.cloud.ended(plan.id)).toMatchObject({ phase: 'done' })
    expect(new Set(pins())).toEqual(new Set([new X509Certificate(served()).fingerprint256]))
    expect(new X509Certificate(served()).issuer).toContain('BMC authority ec')
  },
)

test('who signs elsewhere gets the request, and has what comes of it installed', async () => {
  await begin()
  expect(await run([renew], trustsFactory())).toMatchObject({
    phase: 'failed',
    note: expect.stringMatching(/no authority for BMCs: name one as bmc_authority .* generate_csr/),
  })
  expect(await run([step('vendor.generate_csr', { common_name: 'bmc-7' })], trustsFactory(), 2)).toMatchObject({
    phase: 'done',
  })
  const reply = [...fixture.cloud.reports.values()].find((each) => each.kind === 'answer')
  const csr = reply?.kind === 'answer' && 'body' in reply.answer ? String(reply.answer.body?.['CSRString']) : ''
  writeFileSync(file('request.pem'), csr)
  const sign = ['-CA', file('rsa.pem'), '-CAkey', file('rsa.key'), '-copy_extensions', 'copy', '-days', '5']
  const certificate = execFileSync('openssl', ['x509', '-req', '-in', file('request.pem'), ...sign], {
    encoding: 'utf8',
    stdio: 'pipe',
  })
  const install = step('management.install_bmc_certificate', { certificate })
  expect(await run([install], trustsFactory(), 3)).toMatchObject({ phase: 'done' })
  expect(new X509Certificate(served()).subject).toContain('CN=bmc-7')
  expect(pins()).toEqual([new X509Certificate(certificate).fingerprint256])
  expect(fixture.machine.redfish.certificates.get(httpsCertificatesPath(fixture.machine.redfish))).toHaveLength(1)
})
