import { X509Certificate } from 'node:crypto'
import { requireMore } from '../../drivers/bmc.ts'
import { HardwareError } from '../../hardware-error.ts'
import type { StepContext, StepRunner } from '../step.ts'
import { tellHardware } from './management.ts'
import { awaitMachine } from './restart.ts'

/** Whom a machine and its BMC trust, and whose time they have. Each can be done again: what is there already stays. */

export const setBmcNtp: StepRunner<'management.set_bmc_ntp'> = async ({ servers }, on) => {
  on.note(servers.length === 0 ? "switching the BMC's NTP off" : "setting the BMC's NTP servers")
  await requireMore(await on.bmc(), on.plan.machine.driver, 'setNtp')(servers)
}

export const enrolSecureBootKeys: StepRunner<'management.enroll_secure_boot_keys'> = async ({ databases }, on) => {
  for (const { certificates = [] } of databases) checkAll(on, certificates)
  const bmc = await on.bmc()
  const enrol = requireMore(bmc, on.plan.machine.driver, 'enrolSecureBootKeys')
  on.note("enrolling Secure Boot's keys")
  await enrol(databases)
  await tellHardware(on, bmc)
}

export const installBootCertificates: StepRunner<'management.install_boot_certificates'> = async (
  { certificates },
  on,
) => {
  checkAll(on, certificates)
  on.note('installing certificates for boots by HTTPS')
  await requireMore(await on.bmc(), on.plan.machine.driver, 'installBootCertificates')(certificates)
}

/** For the key that the BMC has made a request for: no private key passes through here. */
export const installBmcCertificate: StepRunner<'management.install_bmc_certificate'> = async ({ certificate }, on) => {
  checkAll(on, [certificate])
  const bmc = await on.bmc()
  on.note("installing the BMC's certificate")
  await requireMore(bmc, on.plan.machine.driver, 'installBmcCertificate')(certificate)
  on.note('waiting for the BMC')
  await awaitMachine(
    on,
    async () => (await bmc.power()) !== undefined,
    'the BMC does not answer with its new certificate',
  )
}

function checkAll({ clock }: StepContext, pems: readonly string[]): void {
  for (const pem of pems) {
    const certificate = parsed(pem)
    const until = Date.parse(certificate.validTo)
    if (until < clock.now().getTime())
      throw new HardwareError(
        `the certificate of ${certificate.subject.replaceAll('\n', ', ')} ended ${certificate.validTo}`,
      )
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
