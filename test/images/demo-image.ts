import { copyFile, mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { resolveClosure } from '../../agent/ramdisk/debian.ts'
import { contentKey, digestOfRecipe } from '../../agent/ramdisk/key.ts'
import { run } from '../../agent/ramdisk/run.ts'
import { type Image, kept, type Log } from './cache.ts'
import { makeDisk } from './disk.ts'
import { makeGrub } from './grub.ts'

const here = fileURLToPath(new URL('.', import.meta.url))
const rootUuid = 'b100e410-de30-4000-8000-000000000001'

const packages: readonly string[] = [
  'ca-certificates',
  'cloud-guest-utils',
  'cloud-init',
  'dbus',
  'e2fsprogs',
  'fdisk',
  'initramfs-tools',
  'iproute2',
  'iputils-ping',
  'kmod',
  'linux-image-cloud-amd64',
  'netbase',
  'open-iscsi',
  'openssh-server',
  'procps',
  'sudo',
  'systemd-resolved',
  'systemd-sysv',
  'udev',
  'zstd',
]

/** The image of the demo: Debian 12 as one would install it, with cloud-init reading the config drive, and sshd. */
export async function buildDemoImage(log: Log = () => {}): Promise<Image> {
  const versions = (await resolveClosure(packages)).map((one) => `${one.name}=${one.version}`)
  const recipes = [here, join(here, 'demo')].map(digestOfRecipe)
  const key = contentKey([...versions, ...(await Promise.all(recipes))])
  return kept('demo', key, log, async (raw, work) => {
    const root = join(work, 'root')
    log(`installing ${versions.length} Debian packages; this takes a minute`)
    await install(root, join(work, 'sources'))
    await settle(root)
    log('making the disk')
    const loaders = await makeGrub({ rootUuid, commands: ['configfile /boot/grub/grub.cfg'] }, work)
    await makeDisk(raw, { root, rootUuid, label: 'debian', mebibytes: 544, loaders })
  })
}

async function install(root: string, sources: string): Promise<void> {
  await writeFile(sources, await debianSources())
  const leftOut = ['doc/*', 'info/*', 'locale/*', 'man/*'].map((path) => `--dpkgopt=path-exclude=/usr/share/${path}`)
  // Before the kernel's installation, which makes the initramfs of what is there.
  const initiator = join(here, 'demo/iscsi.initramfs')
  const chosen = [
    `--essential-hook=mkdir -p "$1/etc/iscsi" && cp '${initiator}' "$1/etc/iscsi/"`,
    '--mode=root',
    '--variant=minbase',
    '--format=directory',
    `--include=${packages.join(',')}`,
    ...leftOut,
  ]
  const hooks = [
    'systemctl enable systemd-networkd.service systemd-resolved.service ssh.service',
    'systemctl mask systemd-networkd-wait-online.service apt-daily.timer apt-daily-upgrade.timer e2scrub_reap.service',
  ].map((command) => `--customize-hook=chroot "$1" ${command}`)
  // In a mount namespace of its own: what it mounts under `root` is gone with it, however it ends, and no clean-up walks into the host's /sys.
  const build = ['mmdebstrap', ...chosen, ...hooks, 'bookworm', root, sources]
  await run('unshare', ['--mount', '--propagation', 'private', ...build], { timeoutMs: 900_000 })
}

/** The package sources that this machine itself uses, so that no mirror is named here. */
async function debianSources(): Promise<string> {
  const format = '$(ORIGIN)|deb $(REPO_URI) $(RELEASE) $(COMPONENT)'
  const lines = await run('apt-get', ['indextargets', '--format', format, 'Created-By: Packages'])
  const sources = [...lines.matchAll(/^Debian\|(deb \S+ bookworm\S* .*)$/gm)].map(([, source]) => source)
  if (sources.length === 0)
    throw new Error('apt on this machine has no Debian bookworm source: configure one and run "apt-get update"')
  return `${sources.join('\n')}\n`
}

/** What makes an installed tree an image: nothing of the machine that built it, and the boot and first-boot settings. */
async function settle(root: string): Promise<void> {
  await rm(join(root, 'etc/apt/sources.list.d/0000sources.list'), { force: true })
  await rm(join(root, 'etc/hostname'), { force: true })
  for (const name of await readdir(join(root, 'etc/ssh')))
    if (name.startsWith('ssh_host_')) await rm(join(root, 'etc/ssh', name))
  // Empty, not absent: systemd then gives each machine its own at its first start.
  await writeFile(join(root, 'etc/machine-id'), '')
  await copyFile(join(here, 'demo/cloud-init.cfg'), join(root, 'etc/cloud/cloud.cfg.d/90-image.cfg'))
  await copyFile(join(here, 'demo/dhcp.network'), join(root, 'etc/systemd/network/80-dhcp.network'))
  await writeFile(join(root, 'etc/default/locale'), 'LANG=C.UTF-8\n')
  await writeFile(join(root, 'etc/fstab'), `UUID=${rootUuid} / ext4 errors=remount-ro 0 1\n`)
  await mkdir(join(root, 'boot/grub'), { recursive: true })
  await writeFile(join(root, 'boot/grub/grub.cfg'), menu)
}

/** The links in / always name the newest kernel that is installed. */
const menu = `linux /vmlinuz root=UUID=${rootUuid} ro console=tty0 console=ttyS0,115200
initrd /initrd.img
boot
`
