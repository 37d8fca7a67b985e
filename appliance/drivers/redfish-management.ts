import { setBoot } from '@bloomery/redfish/boot.ts'
import { setBootMode } from '@bloomery/redfish/boot-mode.ts'
import type { Redfish } from '@bloomery/redfish/client.ts'
import { setIndicator } from '@bloomery/redfish/indicator.ts'
import { reset } from '@bloomery/redfish/power.ts'
import { setSecureBoot } from '@bloomery/redfish/secure-boot.ts'
import type { System } from '@bloomery/redfish/system.ts'
import { ejectMedia, insertMedia, type MediaType } from '@bloomery/redfish/virtual-media.ts'
import type { MediaDevice } from '../../contract/step-arguments.ts'
import { readRedfishHealth } from '../health/read-redfish.ts'
import type { BmcManagement, BmcPassword, DriverInfo } from './bmc.ts'
import { redfishCertificates } from './redfish-certificates.ts'
import { redfishSerialDoor } from './redfish-console.ts'
import { readFacts } from './redfish-facts.ts'
import { listenToPower } from './redfish-events.ts'
import { redfishMaintenance } from './redfish-maintenance.ts'
import { redfishSettings } from './redfish-settings.ts'
import { redfishSubscriptions } from './redfish-subscriptions.ts'

export type UseRedfish = <T>(work: (session: { bmc: Redfish; system: System }) => Promise<T>) => Promise<T>

const media: Readonly<Record<MediaDevice, MediaType>> = { cdrom: 'CD', disk: 'USBStick', floppy: 'Floppy' }

/** What a management interface does over Redfish beside boot devices. */
export function redfishManagement(
  use: UseRedfish,
  password: BmcPassword,
  driverInfo: DriverInfo,
): Omit<BmcManagement, 'sendRaw' | 'openConsole' | 'lan' | 'watchdog'> {
  return {
    ...redfishMaintenance(use),
    ...redfishSettings(use, driverInfo),
    certificates: redfishCertificates(use, driverInfo),
    serialDoor: () => redfishSerialDoor(use, driverInfo),
    subscriptions: redfishSubscriptions(use),
    password,
    injectNmi: () => use(({ bmc, system }) => reset(bmc, system, 'nmi')),
    setBootMode: (mode) =>
      use(async ({ bmc, system }) => void (await setBootMode(bmc, system, mode === 'uefi' ? 'UEFI' : 'Legacy'))),
    setSecureBoot: (enabled) => use(({ bmc, system }) => setSecureBoot(bmc, system, enabled)),
    setIndicator: (component, name, state) =>
      use(({ bmc, system }) => setIndicator(bmc, system, { component, name, state })),
    attachMedia: (device, image) =>
      use(async ({ bmc, system }) => void (await insertMedia(bmc, system, { type: media[device], image }))),
    detachMedia: (devices) =>
      use(async ({ bmc, system }) => {
        if (devices === null) return ejectMedia(bmc, system)
        for (const device of devices) await ejectMedia(bmc, system, media[device])
      }),
    bootFromUrl: (uri) =>
      use(async ({ bmc, system }) => {
        await setBoot(bmc, system, { target: 'UefiHttp', enabled: 'Once', mode: 'UEFI', uri })
      }),
    listen: async (onPower, signal) => listenToPower(await use((session) => Promise.resolve(session)), onPower, signal),
    readHardware: () => use(({ bmc, system }) => readFacts(bmc, system)),
    readHealth: (kept, ask) => use((session) => readRedfishHealth(session, kept, ask)),
  }
}
