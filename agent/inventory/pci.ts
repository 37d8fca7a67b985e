import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { valueOf } from './sysfs.ts'

export interface PciDevice {
  vendor_id: string
  product_id: string
  class: string
  revision: string
  bus: string
}

/** A rack server has some hundreds of functions, and with virtual ones some thousands. */
const MOST = 4096

/** The PCI functions, as ironic-python-agent's collector of pci-devices tells them: hexadecimal digits without 0x. */
export async function listPciDevices(sysfs: string): Promise<PciDevice[]> {
  const folder = join(sysfs, 'bus/pci/devices')
  const names = (await readdir(folder).catch((): string[] => [])).slice(0, MOST).sort()
  return Promise.all(
    names.map(async (bus) => {
      const digits = async (file: string) => ((await valueOf(join(folder, bus, file))) ?? '').replace(/^0x/, '')
      return {
        vendor_id: await digits('vendor'),
        product_id: await digits('device'),
        class: await digits('class'),
        revision: await digits('revision'),
        bus,
      }
    }),
  )
}
