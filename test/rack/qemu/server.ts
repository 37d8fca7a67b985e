import { execFile } from 'node:child_process'
import { copyFile, mkdir, open, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type BmcAccess, startBmc } from './bmc.ts'
import { startRedfishBmc } from './redfish-bmc.ts'
import {
  type BootDevice,
  bootDevices,
  CD_IMAGE,
  diskFile,
  machineUuid,
  firmwares,
  qemuArguments,
  type ServerSpec,
} from './machine.ts'
import { addresses, type RackNetwork, tapName } from './network.ts'
import { serialPosition, type SerialWait, waitForSerial } from './serial.ts'

export type RackServer = {
  name: string
  firmware: 'bios' | 'uefi'
  uuid: string
  mac: string
  bmc: BmcAccess
  disk: string
  /** The first disk is gone, the others move up, and a blank one takes the last place: firmware boots from the first alone. It is off. */
  loseDisk(): Promise<void>
  serialLog: string
  serialPosition(): Promise<number>
  waitForSerial(pattern: RegExp, wait: SerialWait): Promise<string>
  /** As the chassis sees it, not as the BMC tells it. */
  power(): Promise<'on' | 'off'>
  bootDevice(): Promise<BootDevice>
}

/** Racks a server: a blank disk, fresh firmware variables, a BMC. It is off. */
export async function rackServer(spec: ServerSpec, index: number, net: RackNetwork, dir: string): Promise<RackServer> {
  await mkdir(dir, { recursive: true })
  const mac = spec.mac ?? `52:54:00:80:00:${(11 + index).toString(16).padStart(2, '0')}`
  const protocol = spec.bmc ?? 'ipmi'
  let bmc: BmcAccess = {
    protocol,
    address: addresses.bmc(index),
    port: protocol === 'ipmi' ? 623 : 443,
    username: 'admin',
    password: `${spec.name}-secret`.slice(-20),
  }
  const disks = Array.from({ length: spec.scsiDisks ?? 1 }, (_, each) => join(dir, diskFile(each)))
  const serialLog = join(dir, 'serial.log')
  for (const disk of disks) await makeBlank(disk, spec.diskMiB * 1024 * 1024)
  await makeBlank(serialLog, 0)
  await makeBlank(join(dir, CD_IMAGE), 0)
  if (spec.firmware === 'uefi')
    for (const { blank, variables } of Object.values(firmwares)) await copyFile(blank, join(dir, variables))
  for (const boot of bootDevices) {
    const args = qemuArguments({ spec, dir, mac, tap: tapName(index) }, boot)
    await writeFile(join(dir, `qemu.${boot}`), `${args.join('\n')}\n`)
  }
  if (protocol === 'ipmi') await startBmc(net.bmcs, net.servers, spec.name, dir, bmc)
  else
    bmc = await startRedfishBmc(net.bmcs, net.servers, { name: spec.name, uuid: machineUuid(spec.name), mac, dir }, bmc)

  const chassis = async (what: 'power' | 'boot') => {
    const argv = [join(import.meta.dirname, 'chassis.sh'), dir, net.servers, '0x20', 'get', what]
    const { stdout } = await promisify(execFile)('sh', argv)
    return stdout.trim().slice(what.length + 1)
  }
  return {
    name: spec.name,
    firmware: spec.firmware,
    uuid: machineUuid(spec.name),
    mac,
    bmc,
    disk: disks[0]!,
    async loseDisk() {
      for (const [index, disk] of disks.slice(1).entries()) await rename(disk, disks[index]!)
      await makeBlank(disks.at(-1)!, spec.diskMiB * 1024 * 1024)
    },
    serialLog,
    serialPosition: () => serialPosition(serialLog),
    waitForSerial: (pattern, wait) => waitForSerial(serialLog, pattern, wait),
    power: async () => ((await chassis('power')) === '1' ? 'on' : 'off'),
    bootDevice: async () => (await chassis('boot')) as BootDevice,
  }
}

async function makeBlank(path: string, size: number): Promise<void> {
  const file = await open(path, 'w')
  try {
    await file.truncate(size)
  } finally {
    await file.close()
  }
}
