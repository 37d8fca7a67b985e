import { createPrivateKey, randomUUID, X509Certificate } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { UserError } from '../../contract/api/faults.ts'
import { newRequest } from './certificate-request.ts'
import { underTest, type Make } from './under-test.ts'

export function identityContract(name: string, make: Make): void {
  describe(`${name}: identity`, () => {
    const made = underTest(make)

    it('issues a certificate for the key of the request, and tells its fingerprint', async () => {
      const { csr, privateKey } = await newRequest()
      const enrolment = await made().platform.identity.issue(randomUUID(), csr, 365)
      const certificate = new X509Certificate(enrolment.certificate)
      expect(certificate.checkPrivateKey(createPrivateKey(privateKey))).toBe(true)
      expect(enrolment.certificate_sha256).toBe(certificate.fingerprint256.replaceAll(':', '').toLowerCase())
      expect(enrolment.broker).toMatch(/^mqtts:\/\/[^/]+:\d+$/)
      expect(enrolment.authorities).toContain('BEGIN CERTIFICATE')
    })

    it.each([
      ['text', 'not a request'],
      ['an empty request', '-----BEGIN CERTIFICATE REQUEST-----\n-----END CERTIFICATE REQUEST-----\n'],
    ])('refuses %s as the caller’s fault', async (_, csr) => {
      await expect(made().platform.identity.issue(randomUUID(), csr, 365)).rejects.toBeInstanceOf(UserError)
    })

    it('refuses a request whose signature is not by its key', async () => {
      const { csr } = await newRequest()
      const der = Buffer.from(csr.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64')
      der[der.length - 1]! ^= 1
      const broken = `-----BEGIN CERTIFICATE REQUEST-----\n${der.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`
      await expect(made().platform.identity.issue(randomUUID(), broken, 365)).rejects.toBeInstanceOf(UserError)
    })

    it('puts an appliance whose certificate was revoked off the bus', async () => {
      const appliance = randomUUID()
      const site = await made().join(appliance)
      await made().platform.identity.revoke(appliance)
      await expect(site.publish('{}')).rejects.toThrow()
      await site.close()
    })
  })
}
