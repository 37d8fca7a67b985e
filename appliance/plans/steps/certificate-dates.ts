import { X509Certificate } from 'node:crypto'
import { HardwareError } from '../../hardware-error.ts'
import type { StepContext } from '../step.ts'

/** One that is over, or none at all, is refused before anything is changed. */
export function checkCertificates({ clock }: Pick<StepContext, 'clock'>, pems: readonly string[]): void {
  for (const pem of pems) {
    const certificate = parsed(pem)
    if (Date.parse(certificate.validTo) >= clock.now().getTime()) continue
    const subject = certificate.subject.replaceAll('\n', ', ')
    throw new HardwareError(`the certificate of ${subject} ended ${certificate.validTo}`)
  }
}

function parsed(pem: string): X509Certificate {
  try {
    return new X509Certificate(pem)
  } catch (error) {
    throw new HardwareError('a certificate is no PEM of X.509: give each from its BEGIN to its END line', {
      cause: error,
    })
  }
}
