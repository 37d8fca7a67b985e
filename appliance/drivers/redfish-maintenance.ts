import { changePassword, listUsers } from '@bloomery/redfish/account.ts'
import { checkAttributes, readAttributeRegistry, readBios, resetBios, setBios } from '@bloomery/redfish/bios.ts'
import type { Redfish } from '@bloomery/redfish/client.ts'
import { clearJobQueue, resetIdrac } from '@bloomery/redfish/dell.ts'
import {
  clearForeignConfiguration,
  convertControllersToRaid,
  convertDrivesToRaid,
  followJob,
} from '@bloomery/redfish/dell-raid.ts'
import { beginImport, exportConfiguration, followImport } from '@bloomery/redfish/dell-configuration.ts'
import { NotOffered } from '@bloomery/redfish/error.ts'
import { pushFirmware, updateWays } from '@bloomery/redfish/firmware-push.ts'
import { updateFirmware } from '@bloomery/redfish/firmware.ts'
import { clearLog, listLogs } from '@bloomery/redfish/log.ts'
import { readClock, resetManager, setClock } from '@bloomery/redfish/manager.ts'
import { resetSecureBootKeys } from '@bloomery/redfish/secure-boot.ts'
import { createVolume, deleteVolume, readStorage } from '@bloomery/redfish/storage.ts'
import type { System } from '@bloomery/redfish/system.ts'
import { HardwareError } from '../hardware-error.ts'
import type { BiosWish, BmcManagement } from './bmc.ts'
import { openFirmware, verifyFirmware } from './firmware-source.ts'
import { missingVolumes, raidConfigOf } from './raid-drives.ts'
import { firmwareTargets } from './redfish-firmware.ts'
import { inspectRedfish } from './redfish-inspect.ts'
import { redfishSecurity } from './redfish-security.ts'
import type { UseRedfish } from './redfish-management.ts'

type Maintenance = Omit<
  BmcManagement,
  | 'injectNmi'
  | 'setBootMode'
  | 'setSecureBoot'
  | 'setIndicator'
  | 'attachMedia'
  | 'bootFromUrl'
  | 'detachMedia'
  | 'readHardware'
  | 'readHealth'
  | 'password'
  | 'listen'
  | 'openConsole'
  | 'sendRaw'
  | 'serialDoor'
  | 'subscriptions'
  | 'certificates'
  | 'accounts'
  | 'ownName'
  | 'bootOrder'
  | 'lan'
  | 'watchdog'
>

/** What steps of cleaning and servicing do to a machine over Redfish. */
export function redfishMaintenance(use: UseRedfish): Maintenance {
  return {
    ...redfishSecurity(use),
    biosDifferences: (settings) =>
      use(async ({ bmc, system }) => {
        const { attributes } = await readBios(bmc, system)
        return settings.filter(({ name, value }) => String(attributes[name]) !== String(value)).map(({ name }) => name)
      }),
    setBios: (settings) =>
      use(async ({ bmc, system }) => {
        const { registry, attributes } = await readBios(bmc, system)
        const wanted = Object.fromEntries(settings.map((each) => [each.name, typed(each, attributes[each.name])]))
        const known = registry === undefined ? undefined : await readAttributeRegistry(bmc, registry)
        const wrong = known && known.size > 0 ? checkAttributes(known, wanted) : []
        if (wrong.length > 0) throw new HardwareError(wrong.join('; '))
        await setBios(bmc, system, wanted)
      }),
    resetBios: () => use(({ bmc, system }) => resetBios(bmc, system)),
    createVolumes: (disks) =>
      use(async ({ bmc, system }) => {
        const controllers = await readStorage(bmc, system)
        for (const volume of missingVolumes(controllers, disks)) await createVolume(bmc, volume.controller, volume)
      }),
    deleteVolumes: () =>
      use(async ({ bmc, system }) => {
        for (const { volumes } of await readStorage(bmc, system))
          for (const { path } of volumes) await deleteVolume(bmc, path)
      }),
    raidPreparation: {
      clearForeign: () => use(({ bmc, system }) => clearForeignConfiguration(bmc, system)),
      controllersToRaid: () => use(({ bmc, system }) => convertControllersToRaid(bmc, system)),
      drivesToRaid: (disks) =>
        use(async ({ bmc, system }) => {
          const volumes = missingVolumes(await readStorage(bmc, system), disks)
          const drives = volumes.flatMap((volume) => volume.drives)
          return convertDrivesToRaid(bmc, system, drives)
        }),
      follow: (job) => use(({ bmc }) => followJob(bmc, job)),
    },
    readRaid: () => use(async ({ bmc, system }) => raidConfigOf(await readStorage(bmc, system))),
    updateFirmware: (component, url, onProgress, checksum) =>
      use(async ({ bmc }) => {
        const found = component === null ? [] : await firmwareTargets(bmc, component)
        const how = { onProgress, ...(found.length === 0 ? {} : { targets: found }) }
        const ways = await updateWays(bmc)
        // What is checked is better sent than fetched by the BMC, which may get something else.
        const pushes = ways[0] !== 'fetch' || (checksum !== undefined && ways.length > 1)
        if (!pushes) {
          if (checksum !== undefined) await verifyFirmware(url, checksum)
          return void (await updateFirmware(bmc, { ...how, image: url }))
        }
        const image = await openFirmware(url, checksum)
        await pushFirmware(bmc, { ...how, image, name: image.name })
      }),
    resetBmc: () => use(({ bmc, system }) => resetManager(bmc, system)),
    readClock: () => use(({ bmc, system }) => readClock(bmc, system)),
    setClock: (at, offset) => use(({ bmc, system }) => setClock(bmc, system, at, offset)),
    resetSecureBootKeys: (to) =>
      use(({ bmc, system }) =>
        resetSecureBootKeys(bmc, system, to === 'default' ? 'ResetAllKeysToDefault' : 'DeleteAllKeys'),
      ),
    clearEventLog: () => use(({ bmc, system }) => clearLogs(bmc, system)),
    users: () => use(({ bmc }) => listUsers(bmc)),
    clearJobQueue: (force) => use(({ bmc, system }) => clearJobQueue(bmc, system, force)),
    configuration: {
      export: () => use(async ({ bmc, system }) => ({ ...(await exportConfiguration(bmc, system)) })),
      beginImport: (profile) => use(({ bmc, system }) => beginImport(bmc, system, profile)),
      followImport: (job, progress) => use(({ bmc }) => followImport(bmc, job, progress)),
    },
    resetIdrac: () => use(({ bmc, system }) => resetIdrac(bmc, system)),
    inspect: () => use(({ bmc, system }) => inspectRedfish(bmc, system)),
  }
}

/** Logs that can't be cleared (a lifecycle log) are left as they are. */
async function clearLogs(bmc: Redfish, system: System): Promise<void> {
  const books = await listLogs(bmc, system)
  let refused: NotOffered | undefined
  let cleared = 0
  for (const book of books) {
    try {
      await clearLog(bmc, book)
      cleared += 1
    } catch (error) {
      if (!(error instanceof NotOffered)) throw error
      refused = error
    }
  }
  if (cleared === 0) throw refused ?? new HardwareError('the BMC has no log that can be cleared')
}

/** Changes it by the session that the old one gave. */
export function setOwnPassword(use: UseRedfish, username: string): (password: string) => Promise<void> {
  return (password) => use(({ bmc }: { bmc: Redfish }) => changePassword(bmc, username, password))
}

/** People write all values as text, but a BMC wants numbers and truth as such. */
function typed({ value }: BiosWish, now: unknown): unknown {
  if (typeof value !== 'string') return value
  if (typeof now === 'number' && /^-?\d+$/.test(value)) return Number(value)
  if (typeof now === 'boolean' && /^(true|false)$/i.test(value)) return value.toLowerCase() === 'true'
  return value
}
