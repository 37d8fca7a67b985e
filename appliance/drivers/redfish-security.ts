import { installBootCertificates } from '@bloomery/redfish/certificate.ts'
import { setNtp } from '@bloomery/redfish/network-protocol.ts'
import { enrolSecureBootKeys } from '@bloomery/redfish/secure-boot-keys.ts'
import type { BmcManagement } from './bmc.ts'
import type { UseRedfish } from './redfish-management.ts'

/** Whom a machine and its BMC trust, and whose time they have. */
export function redfishSecurity(
  use: UseRedfish,
): Pick<BmcManagement, 'setNtp' | 'enrolSecureBootKeys' | 'installBootCertificates'> {
  return {
    setNtp: (servers) => use(({ bmc, system }) => setNtp(bmc, system, servers)),
    enrolSecureBootKeys: (databases) => use(({ bmc, system }) => enrolSecureBootKeys(bmc, system, databases)),
    installBootCertificates: (pems) => use(({ bmc, system }) => installBootCertificates(bmc, system, pems)),
  }
}
