import { createWriteStream } from 'node:fs'
import { copyFile, mkdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { bootIso } from '../../appliance/media/boot-iso.ts'
import { openCdLoaders } from '../../appliance/media/loaders.ts'
import { readIso } from '../../appliance/media/read-iso.ts'
import type { Lab } from '../lab/lab.ts'
import { addresses } from '../rack/qemu/network.ts'
import { debianBoot } from './boot/debian.ts'
import { tinyRamdisk } from './boot/ramdisk.ts'

const PORT = 8_091

export interface InstanceFiles {
  kernel: string
  ramdisk: string
  iso: string
  stop(): void
}

/** What people boot by deploy interface `ramdisk`, on a web server of theirs on the far side of the WAN: a kernel, a ramdisk, and an ISO of both. */
export async function instanceFiles({ rack }: Lab, dir: string): Promise<InstanceFiles> {
  await mkdir(dir, { recursive: true })
  const at = (name: string): string => join(dir, name)
  const { kernel, busybox } = await debianBoot('amd64')
  await copyFile(kernel, at('kernel'))
  await writeFile(at('ramdisk'), await tinyRamdisk(busybox))
  const sized = async (path: string) => ({ path, size: (await stat(path)).size })
  const iso = bootIso({
    node: 'live',
    cmdline: 'console=ttyS0 role=live',
    loaders: await openCdLoaders('x86_64'),
    kernel: await sized(at('kernel')),
    initrd: await sized(at('ramdisk')),
    network: '',
    networkData: undefined,
    agentToken: undefined,
  })
  await pipeline(Readable.from(readIso(iso, 0, iso.size - 1)), createWriteStream(at('live.iso')))
  const server = rack.spawnInCloud(['busybox', 'httpd', '-f', '-p', `${addresses.cloud}:${PORT}`, '-h', dir])
  const url = (name: string): string => `http://${addresses.cloud}:${PORT}/${name}`
  return { kernel: url('kernel'), ramdisk: url('ramdisk'), iso: url('live.iso'), stop: () => void server.kill() }
}
