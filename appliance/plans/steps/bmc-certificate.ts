import { X509Certificate } from 'node:crypto'
import { type BmcCertificates, requireMore } from '../../drivers/bmc.ts'
import { HardwareError } from '../../hardware-error.ts'
import type { StepArguments, StepContext, StepRunner } from '../step.ts'
import { answering } from './answering.ts'
import { checkCertificates } from './certificate-dates.ts'
import { awaitMachine } from './restart.ts'

/** The certificate of a BMC's own HTTPS, for the key that it has made itself: no private key passes through here. */

/** For who signs it elsewhere; back it comes by `install_bmc_certificate`. */
export const generateCsr: StepRunner<'vendor.generate_csr'> = (args, on) =>
  answering(on, 'having the BMC make a request for a certificate', async () => {
    const held = await certificatesOf(on)
    return { CSRString: await held.request(subjectOf(args, held)) }
  })

export const installBmcCertificate: StepRunner<'management.install_bmc_certificate'> = async ({ certificate }, on) => {
  checkCertificates(on, [certificate])
  await install(on, await certificatesOf(on), certificate)
}

/** A new key and a new certificate, by the site's authority. */
export const renewBmcCertificate: StepRunner<'management.renew_bmc_certificate'> = async ({ days, ...args }, on) => {
  const held = await certificatesOf(on)
  const journalled = on.memo.get('certificate')
  if (journalled !== undefined) return install(on, held, journalled)
  if (!on.authority)
    throw new HardwareError(
      'this appliance has no authority for BMCs: name one as bmc_authority in its configuration, or sign what the vendor method generate_csr replies, and install that by management.install_bmc_certificate',
    )
  on.note('having the BMC make a request for a certificate')
  const subject = subjectOf(args, held)
  const csr = await held.request(subject)
  const names = [...new Set([subject.commonName, ...subject.alternativeNames])]
  const certificate = await on.authority.sign(csr, names, days)
  on.memo.set('certificate', certificate)
  await install(on, held, certificate)
}

function subjectOf(
  { common_name, alternative_names = [], ...more }: Omit<StepArguments<'vendor.generate_csr'>, 'days'>,
  held: BmcCertificates,
) {
  const host = held.host()
  return { ...more, commonName: common_name ?? host, alternativeNames: [...new Set([host, ...alternative_names])] }
}

/** The site never locks itself out: by its fingerprint it knows the certificate before the BMC has it, and where what driver_info says of trust is
 * not enough for it, the fingerprint stands there from then on. */
async function install(on: StepContext, held: BmcCertificates, pem: string): Promise<void> {
  const { fingerprint256: pin } = new X509Certificate(pem)
  const serves = () => held.trusts(pin)
  const again = on.memo.get('installing') !== undefined
  if (!again || !(await serves().catch(() => false))) {
    on.memo.set('installing', pin)
    on.note("installing the BMC's certificate")
    await held.install(pem)
  }
  on.note('waiting for the BMC')
  await awaitMachine(
    on,
    serves,
    `the BMC does not answer with its new certificate; if it does later, set driver_info/redfish_certificate_fingerprint to ${pin}`,
  )
  if (held.isPinned() || !(await held.trusts())) on.trusted(pin)
}

async function certificatesOf(on: StepContext): Promise<BmcCertificates> {
  return requireMore(await on.bmc(), on.plan.machine.driver, 'certificates')
}
