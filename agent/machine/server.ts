import type { Clock } from '../clock.ts'
import { installByBootc } from '../containers/bootc.ts'
import { eraseMetadata } from '../disks/erase.ts'
import { eraseExpress, eraseFully } from '../disks/erase-full.ts'
import { identify } from '../disks/identify.ts'
import { listDisks } from '../disks/list.ts'
import type { Trust } from '../http.ts'
import { deployImage } from '../image/deploy.ts'
import { forgetLoaders } from '../loader/forget.ts'
import { findBmc } from '../bmc/find.ts'
import { loadKernelOf } from '../kexec/load.ts'
import { describeMachine } from '../inventory/describe.ts'
import { dmiFacts, tpmFacts } from '../inventory/dmi.ts'
import { listPciDevices } from '../inventory/pci.ts'
import { listenForLldp } from '../lldp/listen.ts'
import type { Log } from '../log.ts'
import { run } from '../programs.ts'
import { deployPartitions } from '../partitions/deploy.ts'
import { Arrays } from '../raid/arrays.ts'
import { createArrays, deleteArrays, type RaidMeans } from '../raid/configure.ts'
import type { Settings } from '../settings.ts'
import { installBoot, isUefi } from './efi.ts'
import { collectLogs } from './logs.ts'
import type { Machine } from './machine.ts'
import { listInterfaces } from './network.ts'
import { endMachine, startByKexec } from './power.ts'
import { allowRescue, hashPassword } from './rescue.ts'
import { createUpkeep } from './upkeep.ts'

export interface ServerMeans {
  clock: Clock
  log: Log
  trust: Trust
  settings: Settings
  imageKeys: readonly string[]
  lockDown: () => void
}

/** The real server underneath. */
export function createServer({ clock, log, trust, settings, imageKeys, lockDown }: ServerMeans): Machine {
  const { imageSeconds: seconds, imageRetries: retries, imageRetryInterval: retryInterval } = settings
  const arrays = new Arrays(clock)
  /** Controllers may still be finding disks when the agent is first asked. */
  const disks = async () => {
    for (let attempt = 1; ; attempt++) {
      const found = await arrays.disks()
      if (found.length > 0 || attempt >= settings.diskAttempts) return found
      await clock.sleep(settings.diskInterval * 1000)
    }
  }
  const erasing = { clock, log, sysfs: '/sys' }
  const raiding = async (): Promise<RaidMeans> => ({ ...erasing, arrays, firmware: (await isUefi()) ? 'uefi' : 'bios' })
  return {
    disks,
    eraseMetadata: (disk) => eraseMetadata(disk, erasing),
    eraseFully: (disk, options, progress) => eraseFully(disk, erasing, { options, progress }),
    eraseExpress: (disk) => eraseExpress(disk, erasing),
    async forgetLoaders(erased) {
      for (const disk of await arrays.all())
        if (disk.holds?.every((each) => erased.includes(each))) await forgetLoaders(disk)
    },
    async createArrays(config, node) {
      await disks()
      return createArrays(config, node, await raiding())
    },
    async deleteArrays(node) {
      await disks()
      await deleteArrays(node, await raiding())
    },
    async installContainer(wanted, disk, progress) {
      const how = { trust, clock, log, seconds, retries, retryInterval, imageKeys }
      return { said: await installByBootc(wanted, disk, how, progress) }
    },
    async writeImage(wanted, disk, progress) {
      const how = { trust, clock, log, seconds, retries, retryInterval, imageKeys }
      if (wanted.image_info.image_type !== 'partition') return { said: await deployImage(wanted, disk, how, progress) }
      return deployPartitions(wanted, disk, (await isUefi()) ? 'uefi' : 'bios', how, progress)
    },
    identify,
    async installBoot(disk, { root, kernelArguments = '' }) {
      const holders = (await arrays.all()).filter(({ holds }) => holds?.includes(disk.name))
      return installBoot({ disk, holders, root, kernelArguments })
    },
    upkeep: createUpkeep({ clock, log, trust, seconds }),
    sync: async () => void (await run('sync', [], 600)),
    powerOff: () => void endMachine('off', clock, log),
    reboot: () => void endMachine('reboot', clock, log),
    loadKernel: async (disk, { root }) => ({ ...(await loadKernelOf(disk, root)) }),
    startKernel: () => void startByKexec(clock, log),
    collectLogs: async () => collectLogs(log, await listDisks()),
    inventory: async () =>
      describeMachine({
        disks: await disks(),
        interfaces: await listInterfaces(),
        bootMac: settings.bootMac,
        uefi: await isUefi(),
        bmc: await findBmc(clock, log),
      }),
    collected: async () => {
      const [pci_devices, dmi, tpm] = await Promise.all([listPciDevices('/sys'), dmiFacts('/sys'), tpmFacts('/sys')])
      const collected = { pci_devices, dmi, ...(tpm && { tpm }) }
      if (settings.lldpSeconds === undefined) return collected
      const cards = (await listInterfaces()).map(({ name }) => name)
      return { ...collected, lldp_raw: await listenForLldp(cards, settings.lldpSeconds, clock, log) }
    },
    hashPassword,
    allowRescue: (hash) => allowRescue(hash, log),
    lockDown,
  }
}
