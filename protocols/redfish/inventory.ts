import type { Redfish } from './client.ts'
import { members } from './collection.ts'
import { linkAt, listAt, numberAt, textAt } from './json.ts'
import { readSystem, type System } from './system.ts'

/** What a system is, out of band. Whatever a BMC doesn't tell is undefined or left out. */
export interface Inventory {
  uuid: string | undefined
  manufacturer: string | undefined
  model: string | undefined
  serial: string | undefined
  sku: string | undefined
  biosVersion: string | undefined
  health: string | undefined
  memoryGiB: number | undefined
  processors: readonly Processor[]
  nics: readonly Nic[]
  /** Versions of its trusted platform modules: TPM2_0, … */
  trustedModules: readonly string[]
}

export interface Processor {
  /** CPU, GPU, … */
  type: string | undefined
  model: string | undefined
  architecture: string | undefined
  cores: number | undefined
  threads: number | undefined
  maxMHz: number | undefined
}

export interface Nic {
  id: string
  /** Lower case, with colons. */
  mac: string
  speedMbps: number | undefined
  link: string | undefined
}

const MAC = /^([0-9a-f]{2}[:-]?){5}[0-9a-f]{2}$/

export async function readInventory(bmc: Redfish, system: System): Promise<Inventory> {
  const { body } = await readSystem(bmc, system, 'read inventory')
  return {
    uuid: textAt(body, 'UUID')?.toLowerCase(),
    manufacturer: textAt(body, 'Manufacturer'),
    model: textAt(body, 'Model'),
    serial: textAt(body, 'SerialNumber'),
    sku: textAt(body, 'SKU'),
    biosVersion: textAt(body, 'BiosVersion'),
    health: textAt(body, 'Status', 'Health'),
    memoryGiB: numberAt(body, 'MemorySummary', 'TotalSystemMemoryGiB'),
    processors: await processorsOf(bmc, linkAt(body, 'Processors')),
    nics: await nicsOf(bmc, linkAt(body, 'EthernetInterfaces')),
    trustedModules: listAt(body, 'TrustedModules')
      .filter((each) => textAt(each, 'Status', 'State') !== 'Absent')
      .map((each) => textAt(each, 'InterfaceType') ?? ''),
  }
}

async function processorsOf(bmc: Redfish, collection: string | undefined): Promise<Processor[]> {
  const found = collection === undefined ? [] : await members(bmc, collection, 'read processors')
  // An empty socket is a member too.
  const present = found.filter(({ body }) => textAt(body, 'Status', 'State') !== 'Absent')
  return present.map(({ body }) => ({
    type: textAt(body, 'ProcessorType'),
    model: textAt(body, 'Model'),
    architecture: textAt(body, 'InstructionSet') ?? textAt(body, 'ProcessorArchitecture'),
    cores: numberAt(body, 'TotalCores'),
    threads: numberAt(body, 'TotalThreads'),
    maxMHz: numberAt(body, 'MaxSpeedMHz'),
  }))
}

/** By the address that is burnt in: the other one may be an operating system's invention. */
async function nicsOf(bmc: Redfish, collection: string | undefined): Promise<Nic[]> {
  const found = collection === undefined ? [] : await members(bmc, collection, 'read network interfaces')
  return found.flatMap(({ path, body }) => {
    const told = (textAt(body, 'PermanentMACAddress') ?? textAt(body, 'MACAddress') ?? '').toLowerCase()
    if (!MAC.test(told)) return []
    const mac = told.replaceAll(/[:-]/g, '').match(/../g)!.join(':')
    const id = textAt(body, 'Id') ?? path
    return [{ id, mac, speedMbps: numberAt(body, 'SpeedMbps'), link: textAt(body, 'LinkStatus') }]
  })
}
