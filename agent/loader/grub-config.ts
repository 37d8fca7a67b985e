/** What GRUB is told first of all. Pure. */

/** What an image has in its root file system, or in a /boot of its own, that boots it. */
export interface BootFiles {
  /** Of the file system that these are in. */
  uuid: string
  /** /boot/grub/grub.cfg, as that file system has it. */
  config?: string
  kernel?: string
  initrd?: string
}

/** The image's own menu where it has one, for that is what its kernels' updates change; else its newest kernel. */
export function firstCommands({ uuid, config, kernel, initrd }: BootFiles, kernelArguments = ''): string {
  const find = `search --no-floppy --fs-uuid --set=root ${uuid}`
  if (config !== undefined)
    return [
      find,
      `set prefix=($root)${config.slice(0, config.lastIndexOf('/'))}`,
      `configfile ($root)${config}`,
      '',
    ].join('\n')
  const line = `linux ${kernel ?? ''} root=UUID=${uuid} ro ${kernelArguments}`.trimEnd()
  return [find, line, ...(initrd === undefined ? [] : [`initrd ${initrd}`]), 'boot', ''].join('\n')
}

const configs = ['boot/grub/grub.cfg', 'boot/grub2/grub.cfg', 'grub/grub.cfg', 'grub2/grub.cfg']

/** Which of these files, relative to the file system's root, boot it. */
export function bootFiles(files: readonly string[], uuid: string): BootFiles | undefined {
  const config = configs.find((each) => files.includes(each))
  if (config !== undefined) return { uuid, config: `/${config}` }
  const kernels = files.filter((each) => /^(boot\/)?vmlinu[xz](-[\w.+~-]+)?$/.test(each) && !each.includes('rescue'))
  const kernel = kernels.toSorted(byVersion).at(-1)
  if (kernel === undefined) return undefined
  const [, folder = '', version = ''] = /^(boot\/)?vmlinu[xz](.*)$/.exec(kernel) ?? []
  const initrd = [`initrd.img${version}`, `initramfs${version}.img`, `initrd${version}`]
    .map((name) => folder + name)
    .find((each) => files.includes(each))
  return { uuid, kernel: `/${kernel}`, initrd: initrd && `/${initrd}` }
}

function byVersion(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true })
}
