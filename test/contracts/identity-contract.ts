import 'reflect-metadata'
import { createPrivateKey, randomUUID, webcrypto, X509Certificate } from 'node:crypto'
import { Pkcs10CertificateRequestGenerator } from '@peculiar/x509'
import { describe, expect, it } from 'vitest'
import { UserError } from '../../contract/api/faults.ts'
import { underTest, type Make } from './under-test.ts'

export async function newRequest(name: string): Promise<{ csr: string; privateKey: string }> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const request = await Pkcs10CertificateRequestGenerator.create({
    name: `CN=${name}`,
    keys,
    signingAlgorithm: algorithm,
  })
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64')
  const privateKey = `-----BEGIN PRIVATE KEY-----\n${pkcs8.match(/.{1,64}/g)!.join('\n')}\n-----END PRIVATE KEY-----\n`
  return { csr: request.toString('pem'), privateKey }
}

export function identityContract(name: string, make: Make): void {
  describe(`${name}: identity`, () => {
    const made = underTest(make)

    it('issues a certificate for the key of the request, and tells its fingerprint', async () => {
      const { csr, privateKey } = await newRequest('whatever')
      const enrolment = await made().platform.identity.issue(randomUUID(), csr)
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
      await expect(made().platform.identity.issue(randomUUID(), csr)).rejects.toBeInstanceOf(UserError)
    })

    it('refuses a request whose signature is not by its key', async () => {
      const { csr } = await newRequest('whatever')
      const der = Buffer.from(csr.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64')
      der[der.length - 1]! ^= 1
      const broken = `-----BEGIN CERTIFICATE REQUEST-----\n${der.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`
      await expect(made().platform.identity.issue(randomUUID(), broken)).rejects.toBeInstanceOf(UserError)
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
