import { putAccount, readAccounts } from '@bloomery/redfish/account.ts'
import { readBootOrder, setBootOrder } from '@bloomery/redfish/boot-option.ts'
import { HardwareError } from '../hardware-error.ts'
import type { BmcManagement, DriverInfo } from './bmc.ts'
import type { UseRedfish } from './redfish-management.ts'
import { redfishInfo } from './redfish-session.ts'

/** Roles that every service has (DSP0266, table of standard roles), by IPMI's names. */
const roles = { administrator: 'Administrator', operator: 'Operator', user: 'ReadOnly', none: 'None' } as const
const privileges = Object.entries(roles) as [keyof typeof roles, string][]

export function redfishSettings(
  use: UseRedfish,
  driverInfo: DriverInfo,
): Pick<BmcManagement, 'accounts' | 'ownName' | 'bootOrder'> {
  return {
    accounts: {
      list: () =>
        use(async ({ bmc }) =>
          (await readAccounts(bmc)).map(({ name, enabled, role }) => ({
            name,
            enabled,
            privilege: privileges.find(([, each]) => each === role)?.[0],
          })),
        ),
      put: ({ name, password, privilege, enabled }) =>
        use(({ bmc }) =>
          putAccount(bmc, {
            name,
            password: password ?? undefined,
            role: privilege ? roles[privilege] : undefined,
            enabled: enabled ?? undefined,
          }),
        ),
    },
    ownName: () => redfishInfo.parse(driverInfo).redfish_username,
    bootOrder: {
      read: () =>
        use(async ({ bmc, system }) => {
          const { order, options } = await readBootOrder(bmc, system)
          return {
            order: [...order],
            options: options.map(({ reference, name = null, enabled = null, devicePath = null }) => ({
              reference,
              name,
              enabled,
              device_path: devicePath,
            })),
          }
        }),
      set: (order) =>
        use(async ({ bmc, system }) => {
          const { options } = await readBootOrder(bmc, system)
          const unknown = order.find((each) => !options.some(({ reference }) => reference === each))
          if (unknown !== undefined)
            throw new HardwareError(
              `the machine has no boot option ${unknown}; it has ${options.map(({ reference }) => reference).join(', ')}`,
            )
          await setBootOrder(bmc, system, order)
        }),
    },
  }
}
