import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { peerNetwork } from '@bloomery/dhcp/peer-network.ts'
import { writeCpio } from '../../../agent/ramdisk/cpio.ts'
import { waitForSerial } from '../../rack/qemu/serial.ts'

const MAC = '52:54:00:97:00:01'
const START_MS = 20_000

/** One UEFI machine and the boot services, on a cable of their own. */
export interface BootLab extends AsyncDisposable {
  says(pattern: RegExp, timeoutMs: number): Promise<string>
  /** The log lines of the boot services so far. */
  log: Record<string, string>[]
}

export interface BootLabOptions {
  kernel: string
  /** Firmware that holds Microsoft's keys and starts only what is signed; else one that starts anything. */
  secure?: boolean
  /** The machine's firmware and the services speak IPv6, and no IPv4 is on the firmware's side. */
  ipv6?: boolean
}

/** A ramdisk that says that it is up, and nothing more. */
async function tinyRamdisk(): Promise<Uint8Array> {
  const script = '#!/bin/busybox sh\n/bin/busybox echo RAMDISK UP\n/bin/busybox sleep 600\n'
  const parts = []
  for await (const part of writeCpio([
    { path: 'bin/busybox', kind: 'file', mode: 0o755, content: { from: '/bin/busybox' } },
    { path: 'dev', kind: 'directory' },
    { path: 'dev/console', kind: 'character', mode: 0o600, major: 5, minor: 1 },
    { path: 'init', kind: 'file', mode: 0o755, content: Buffer.from(script) },
  ]))
    parts.push(part)
  return Buffer.concat(parts)
}

export async function startBootLab({ kernel, secure = false, ipv6 = false }: BootLabOptions): Promise<BootLab> {
  const dir = await mkdtemp(join(tmpdir(), 'boot-lab-'))
  const netns = `blm-lab-${process.pid}-${secure ? 's' : 'p'}${ipv6 ? '6' : '4'}`
  const network = peerNetwork([netns])
  const dispose = async (): Promise<void> => {
    await network.stop()
    await rm(dir, { recursive: true, force: true })
  }
  try {
    await copyFile(kernel, join(dir, 'kernel'))
    await writeFile(join(dir, 'initrd'), await tinyRamdisk())
    await writeFile(join(dir, 'serial.log'), '')
    network.ip(netns, 'tuntap add tap0 mode tap', 'address add 10.97.0.1/24 dev tap0', 'link set tap0 up')
    network.ip(netns, 'address add fd00:97::1/64 dev tap0 nodad', 'route add 255.255.255.255 dev tap0')
    const log: Record<string, string>[] = []
    const services = { up: false }
    const options = [secure ? 'secure' : '', ipv6 ? 'ipv6' : ''].filter((option) => option !== '')
    const site = [process.execPath, join(import.meta.dirname, 'site.ts'), dir, MAC, ...options]
    network.run(netns, site, (line) => {
      if ('up' in line) services.up = true
      else log.push(line)
    })
    for (let waited = 0; !services.up; waited += 100) {
      if (waited > START_MS) throw new Error('the boot services did not start')
      await sleep(100)
    }
    await copyFile(`/usr/share/OVMF/OVMF_VARS_4M${secure ? '.ms' : ''}.fd`, join(dir, 'variables.fd'))
    const qemu = network.run(netns, ['qemu-system-x86_64', ...qemuArguments(dir, secure, ipv6)])
    let complaint = ''
    qemu.stderr?.on('data', (bytes: Buffer) => (complaint = (complaint + bytes.toString()).slice(-1_000)))
    const ended = new Promise<never>((_, reject) =>
      qemu.once('exit', (code) => reject(new Error(`QEMU ended with ${code}: ${complaint}`))),
    )
    ended.catch(() => {})
    return {
      log,
      says: (pattern, timeoutMs) =>
        Promise.race([waitForSerial(join(dir, 'serial.log'), pattern, { timeoutMs }), ended]),
      [Symbol.asyncDispose]: dispose,
    }
  } catch (error) {
    await dispose()
    throw error
  }
}

/** OVMF with Secure Boot keeps its variables behind system management mode: QEMU's docs/system/i386, edk2's OvmfPkg README. */
function qemuArguments(dir: string, secure: boolean, ipv6: boolean): string[] {
  const code = `/usr/share/OVMF/OVMF_CODE_4M${secure ? '.secboot' : ''}.fd`
  const [on, off] = ipv6 ? ['6', '4'] : ['4', '6']
  return [
    ['-nodefaults', '-display', 'none', '-no-reboot'],
    ['-machine', `q35,smm=${secure ? 'on' : 'off'}`, '-accel', 'tcg,thread=multi', '-cpu', 'Nehalem', '-m', '768'],
    secure ? ['-global', 'driver=cfi.pflash01,property=secure,value=on'] : [],
    ['-drive', `if=pflash,format=raw,unit=0,readonly=on,file=${code}`],
    ['-drive', `if=pflash,format=raw,unit=1,file=${join(dir, 'variables.fd')}`],
    ['-fw_cfg', `name=opt/org.tianocore/IPv${off}PXESupport,string=no`],
    ['-fw_cfg', `name=opt/org.tianocore/IPv${on}PXESupport,string=yes`],
    ['-netdev', 'tap,id=net0,ifname=tap0,script=no,downscript=no'],
    ['-device', `virtio-net-pci,netdev=net0,mac=${MAC},bootindex=0,romfile=`],
    ['-device', 'virtio-rng-pci'],
    ['-serial', `file:${join(dir, 'serial.log')}`],
  ].flat()
}
