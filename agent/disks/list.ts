import { readdir, readFile, readlink, realpath } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { Disk } from './disk.ts'

/** Not disks to deploy to: RAM, loops, optical, floppies, network, maps, boot and replay areas of eMMC, MTD. */
const neither = /^(?:loop|ram|zram|sr|fd|nbd|dm-|mtdblock|mmcblk\d+(?:boot|rpmb))/
/** Sizes in sysfs count these, whatever the disk's own sector is. */
const sizeUnit = 512

export interface Places {
  sysfs: string
  dev: string
}

/** The disks that an image could be written to: also arrays, and not the disks that they are made of. */
export async function listDisks(places?: Places): Promise<Disk[]> {
  return (await listAllDisks(places)).filter(({ holds }) => holds === undefined)
}

/** Every disk that is not removable, not read-only and not empty. By name. */
export async function listAllDisks(places: Places = { sysfs: '/sys', dev: '/dev' }): Promise<Disk[]> {
  const names = (await readdir(join(places.sysfs, 'block'))).filter((name) => !neither.test(name)).sort()
  const paths = await byPath(places.dev)
  const found = await Promise.all(names.map((name) => inspect(name, places, paths)))
  return found.filter((disk) => disk !== undefined)
}

async function inspect(name: string, { sysfs, dev }: Places, paths: Map<string, string>): Promise<Disk | undefined> {
  const folder = join(sysfs, 'block', name)
  const read = (file: string) =>
    readFile(join(folder, file)).then(
      (bytes) => printable(bytes),
      () => undefined,
    )
  const number = async (file: string) => Number((await read(file)) ?? 0)
  const size = (await number('size')) * sizeUnit
  const unfit = (await read('removable')) === '1' || (await read('ro')) === '1' || (await read('hidden')) === '1'
  if (unfit || size === 0) return undefined
  const wwid = (await read('device/wwid')) ?? (await read('wwid'))
  return {
    name: join(dev, name),
    size,
    sector: (await number('queue/logical_block_size')) || sizeUnit,
    rotational: (await read('queue/rotational')) === '1',
    discards: (await number('queue/discard_max_bytes')) > 0,
    model: await read('device/model'),
    vendor: await read('device/vendor'),
    // virtio keeps it beside the queue; SCSI in VPD page 80h, after a header of four bytes.
    serial: (await read('device/serial')) ?? (await read('serial')) ?? (await serialOfVpd(folder)),
    ...wideNames(wwid),
    hctl: await hctlOf(folder),
    by_path: paths.get(name),
    ...(await arraysOf(name, { sysfs, dev })),
  }
}

/** What an array is made of, and which arrays are made of a disk or its partitions. */
async function arraysOf(name: string, { sysfs, dev }: Places): Promise<Pick<Disk, 'members' | 'holds'>> {
  const folder = join(sysfs, 'block', name)
  const inside = (path: string) => readdir(join(folder, path)).catch((): string[] => [])
  if (isArray(name)) return { members: (await inside('slaves')).sort().map((each) => join(dev, each)) }
  const parts = (await inside('')).filter((each) => each.startsWith(name))
  const holders = (await Promise.all(['', ...parts].map((part) => inside(join(part, 'holders'))))).flat()
  const arrays = [...new Set(holders.filter(isArray))].sort()
  return arrays.length === 0 ? {} : { holds: arrays.map((each) => join(dev, each)) }
}

function isArray(name: string): boolean {
  return /^md\d+$/.test(name)
}

/** naa.600… and eui.… are what 0x600… and eui.… stand for in udev's ID_WWN, whose first 16 digits are the bare name. */
function wideNames(wwid: string | undefined): Pick<Disk, 'wwn' | 'wwn_with_extension' | 'wwn_vendor_extension'> {
  const digits = /^(?:naa|eui)\.([0-9a-f]{16,32})$/i.exec(wwid ?? '')?.[1]?.toLowerCase()
  if (digits === undefined) return {}
  const lead = wwid?.startsWith('eui.') ? 'eui.' : '0x'
  const vendor = digits.slice(16)
  return {
    wwn: lead + digits.slice(0, 16),
    wwn_with_extension: lead + digits,
    wwn_vendor_extension: vendor === '' ? undefined : `0x${vendor}`,
  }
}

async function serialOfVpd(folder: string): Promise<string | undefined> {
  const page = await readFile(join(folder, 'device/vpd_pg80')).catch(() => undefined)
  return page && printable(page.subarray(4))
}

async function hctlOf(folder: string): Promise<string | undefined> {
  const device = await realpath(join(folder, 'device')).catch(() => '')
  return /^\d+:\d+:\d+:\d+$/.test(basename(device)) ? basename(device) : undefined
}

/** Disk → link, where udev runs and has made them. */
async function byPath(dev: string): Promise<Map<string, string>> {
  const folder = join(dev, 'disk/by-path')
  const links = await readdir(folder).catch(() => [])
  const pairs = await Promise.all(
    links
      .toSorted((a, b) => a.localeCompare(b))
      .map(async (link) => [basename(await readlink(join(folder, link))), join(folder, link)] as const),
  )
  return new Map(pairs)
}

/** What vendors wrote into fixed fields: without padding, without bytes that would disturb a log. */
function printable(bytes: Buffer): string | undefined {
  const text = bytes
    .toString('latin1')
    .replaceAll(/[^\x20-\x7e]/g, ' ')
    .trim()
  return text === '' ? undefined : text.slice(0, 255)
}
