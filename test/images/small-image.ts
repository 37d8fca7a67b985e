import { chmod, copyFile, cp, mkdir, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Entry } from '../../agent/ramdisk/cpio.ts'
import { download, resolveClosure, resolveKernel, resolveOne, unpack } from '../../agent/ramdisk/debian.ts'
import { kernelWithModules } from '../../agent/ramdisk/kernel.ts'
import { contentKey, digestOf, digestOfRecipe } from '../../agent/ramdisk/key.ts'
import { writeLayer } from '../../agent/ramdisk/layer.ts'
import { run } from '../../agent/ramdisk/run.ts'
import { librariesOf } from '../../agent/ramdisk/userland.ts'
import { cache, type Image, kept, type Log } from './cache.ts'
import { makeDisk } from './disk.ts'
import { makeGrub } from './grub.ts'

const here = fileURLToPath(new URL('.', import.meta.url))
const rootUuid = 'b100e410-7e57-4000-8000-000000000001'

const wantedModules = [
  'drivers/acpi/button.ko',
  'drivers/ata/',
  'drivers/block/virtio_blk.ko',
  'drivers/cdrom/',
  'drivers/input/evdev.ko',
  'drivers/md/raid1.ko',
  'drivers/net/virtio_net.ko',
  'drivers/nvme/host/',
  'drivers/scsi/sd_mod.ko',
  'drivers/scsi/sr_mod.ko',
  'drivers/scsi/virtio_scsi.ko',
  'drivers/virtio/',
  'fs/ext4/',
  'fs/fat/',
  'fs/isofs/',
  'fs/nls/nls_ascii.ko',
  'fs/nls/nls_cp437.ko',
  'fs/nls/nls_utf8.ko',
]

/** The image of the tests: Debian's kernel and busybox; it says on the serial port what its config drive holds, and lets its keys in by ssh. */
export async function buildTestImage(log: Log = () => {}): Promise<Image> {
  const packages = [await resolveKernel('linux-image-cloud-amd64'), await resolveOne('busybox-static')]
  const login = await resolveClosure(['dropbear-bin'])
  const recipes = [here, join(here, 'small'), join(here, '../../agent/ramdisk')].map(digestOfRecipe)
  recipes.push(digestOf(join(here, '../../agent/loader/grub-core.ts')))
  const key = contentKey([
    ...[...packages, ...login].map((one) => `${one.name}=${one.version}`),
    ...(await Promise.all(recipes)),
  ])
  return kept('test', key, log, async (raw, work) => {
    const [kernelArchive = '', busyboxArchive = ''] = await download(packages, join(cache, 'debs'))
    await unpack([kernelArchive], join(work, 'kernel'))
    await unpack([busyboxArchive], join(work, 'system'))
    await unpack(await download(login, join(cache, 'debs')), join(work, 'login'))
    const busybox = join(work, 'system/bin/busybox')
    const root = join(work, 'root')
    log('making the root file system')
    await makeRootFolder(root, busybox)
    await addLogin(root, join(work, 'login'))
    const chosen = await kernelWithModules({
      root: join(work, 'kernel'),
      staging: join(work, 'modules'),
      wanted: wantedModules,
      needed: ['virtio_blk', 'virtio_net', 'virtio_pci', 'ext4', 'isofs', 'vfat'],
    })
    await copyFile(chosen.kernel, join(root, 'boot/vmlinuz'))
    await writeLayer(initrd(chosen.modules, busybox), join(root, 'boot/initrd'))
    log('making the disk')
    const line = `linux /boot/vmlinuz bloomery.root=${rootUuid} console=tty0 console=ttyS0,115200 loglevel=4 panic=10`
    const commands = [line, 'initrd /boot/initrd', 'boot']
    // For loaders that are not the image's own: those of arrays, and of partition images.
    await mkdir(join(root, 'boot/grub'))
    await writeFile(join(root, 'boot/grub/grub.cfg'), `${commands.join('\n')}\n`)
    const loaders = await makeGrub({ rootUuid, commands }, work)
    await makeDisk(raw, { root, rootUuid, label: 'bloomery-root', mebibytes: 72, loaders })
  })
}

function initrd(modules: readonly Entry[], busybox: string): Entry[] {
  const applets = [
    'sh',
    'cat',
    'dd',
    'echo',
    'find',
    'findfs',
    'head',
    'modprobe',
    'mount',
    'od',
    'poweroff',
    'sleep',
    'sort',
    'switch_root',
    'sync',
    'tr',
    'umount',
    'xargs',
  ]
  return [
    { path: 'init', kind: 'file', mode: 0o755, content: { from: join(here, 'small/initrd-init.sh') } },
    { path: 'bin/busybox', kind: 'file', mode: 0o755, content: { from: busybox } },
    ...applets.map((name): Entry => ({ path: `bin/${name}`, kind: 'link', target: 'busybox' })),
    ...['proc', 'sys', 'dev', 'root', 'usr'].map((path): Entry => ({ path, kind: 'directory' })),
    { path: 'lib', kind: 'link', target: 'usr/lib' },
    { path: 'dev/console', kind: 'character', mode: 0o600, major: 5, minor: 1 },
    ...modules,
  ]
}

async function makeRootFolder(root: string, busybox: string): Promise<void> {
  for (const folder of ['bin', 'boot', 'dev', 'etc', 'proc', 'run', 'sys', 'tmp'])
    await mkdir(join(root, folder), { recursive: true })
  await symlink('bin', join(root, 'sbin'))
  await cp(busybox, join(root, 'bin/busybox'))
  const applets = (await run(busybox, ['--list']))
    .split('\n')
    .filter((name) => /^[\w.-]+$/.test(name) && name !== 'busybox')
  for (const name of applets) await symlink('busybox', join(root, 'bin', name))
  const programs = { 'init.sh': 'init', 'lease.sh': 'lease', 'power-button.sh': 'power-button' }
  for (const [source, program] of Object.entries(programs)) {
    const target = join(root, 'bin', program)
    if (applets.includes(program)) await run('rm', [target])
    await copyFile(join(here, 'small', source), target)
    await chmod(target, 0o755)
  }
}

/** An ssh server, and the one user whom it knows. */
async function addLogin(root: string, unpacked: string): Promise<void> {
  const server = join(unpacked, 'usr/sbin/dropbear')
  await copyFile(server, join(root, 'bin/dropbear'))
  for (const library of await librariesOf(unpacked, 'amd64', [server])) {
    if (library.kind !== 'file' || !('from' in library.content)) continue
    await mkdir(dirname(join(root, library.path)), { recursive: true })
    await copyFile(library.content.from, join(root, library.path))
    await chmod(join(root, library.path), 0o755)
  }
  for (const folder of ['lib', 'lib64']) await symlink(`usr/${folder}`, join(root, folder))
  for (const folder of ['etc/dropbear', 'root/.ssh']) await mkdir(join(root, folder), { recursive: true, mode: 0o700 })
  await writeFile(join(root, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\n')
}
