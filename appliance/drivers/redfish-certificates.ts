import { generateCsr, httpsCertificates, installHttpsCertificate } from '@bloomery/redfish/certificate.ts'
import { RedfishError, TlsRefused } from '@bloomery/redfish/error.ts'
import { HardwareError } from '../hardware-error.ts'
import type { BmcCertificates, DriverInfo } from './bmc.ts'
import { redfishHost } from './redfish-host.ts'
import type { UseRedfish } from './redfish-management.ts'
import { openSession, redfishInfo } from './redfish-session.ts'

/** The certificate of a BMC's HTTPS, and whether we trust it. */
export function redfishCertificates(use: UseRedfish, driverInfo: DriverInfo): BmcCertificates {
  return {
    host: () => redfishHost(redfishInfo.parse(driverInfo).redfish_address),
    isPinned: () => redfishInfo.parse(driverInfo).redfish_certificate_fingerprint !== undefined,
    request: (subject) =>
      use(async ({ bmc, system }) => generateCsr(bmc, (await httpsCertificates(bmc, system)).collection, subject)),
    install: (pem) => use(({ bmc, system }) => installHttpsCertificate(bmc, system, pem)),
    async trusts(pin) {
      const told = redfishInfo.parse(driverInfo)
      try {
        const { bmc } = await openSession({ ...told, ...(pin && { redfish_certificate_fingerprint: pin }) })
        await bmc.close()
        return true
      } catch (error) {
        if (error instanceof TlsRefused) return false
        throw error instanceof RedfishError ? new HardwareError(error.message, { cause: error.cause }) : error
      }
    },
  }
}
