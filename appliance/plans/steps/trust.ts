import { requireMore } from '../../drivers/bmc.ts'
import type { StepRunner } from '../step.ts'
import { checkCertificates } from './certificate-dates.ts'
import { tellHardware } from './management.ts'

/** Whom a machine and its BMC trust, and whose time they have. Each can be done again: what is there already stays. */

export const setBmcNtp: StepRunner<'management.set_bmc_ntp'> = async ({ servers }, on) => {
  on.note(servers.length === 0 ? "switching the BMC's NTP off" : "setting the BMC's NTP servers")
  await requireMore(await on.bmc(), on.plan.machine.driver, 'setNtp')(servers)
}

export const enrolSecureBootKeys: StepRunner<'management.enroll_secure_boot_keys'> = async ({ databases }, on) => {
  for (const { certificates = [] } of databases) checkCertificates(on, certificates)
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
  checkCertificates(on, certificates)
  on.note('installing certificates for boots by HTTPS')
  await requireMore(await on.bmc(), on.plan.machine.driver, 'installBootCertificates')(certificates)
}
