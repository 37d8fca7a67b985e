import { describe, expect, it } from 'vitest'
import { bootFiles, firstCommands } from './grub-config.ts'
import { placeOnDisk } from './grub-core.ts'
import { moduleClosure } from './grub-modules.ts'

const uuid = 'b100e410-7e57-4000-8000-000000000001'

describe('what GRUB is told', () => {
  it.each(['boot/grub/grub.cfg', 'boot/grub2/grub.cfg', 'grub2/grub.cfg'])("is the image's own menu: %s", (config) => {
    const files = bootFiles(['boot/vmlinuz-6.1.0', config], uuid)
    expect(firstCommands(files!)).toBe(
      `search --no-floppy --fs-uuid --set=root ${uuid}\n` +
        `set prefix=($root)/${config.replace('/grub.cfg', '')}\nconfigfile ($root)/${config}\n`,
    )
  })

  it('is the newest kernel where there is no menu, with the initrd of its version', () => {
    const names = [
      'vmlinuz-6.1.0-9',
      'vmlinuz-6.1.0-10',
      'vmlinuz-0-rescue-1',
      'initrd.img-6.1.0-10',
      'initrd.img-6.1.0-9',
    ]
    const files = bootFiles(
      names.map((name) => `boot/${name}`),
      uuid,
    )
    expect(firstCommands(files!, 'console=ttyS0').split('\n').slice(1)).toEqual([
      `linux /boot/vmlinuz-6.1.0-10 root=UUID=${uuid} ro console=ttyS0`,
      'initrd /boot/initrd.img-6.1.0-10',
      'boot',
      '',
    ])
  })

  it('knows an initramfs, a /boot of its own, and a kernel that needs neither', () => {
    expect(bootFiles(['vmlinuz-5', 'initramfs-5.img'], uuid)).toMatchObject({
      kernel: '/vmlinuz-5',
      initrd: '/initramfs-5.img',
    })
    expect(bootFiles(['boot/vmlinuz'], uuid)).toEqual({ uuid, kernel: '/boot/vmlinuz', initrd: undefined })
    expect(bootFiles(['etc/passwd', 'boot/vmlinuz; reboot'], uuid)).toBeUndefined()
  })
})

it('is placed so that the first sector finds the second part, and that the rest', () => {
  const boot = Buffer.alloc(512, 1)
  const { masterBootCode, core } = placeOnDisk({ boot, core: Buffer.alloc(1300, 2) }, 2048, 3)
  expect(masterBootCode).toHaveLength(440)
  expect(masterBootCode.readBigUInt64LE(0x5c)).toBe(2048n)
  expect(core).toHaveLength(1536)
  expect([core.readBigUInt64LE(500), core.readUInt16LE(508), core.readUInt16LE(510)]).toEqual([2049n, 2, 0x820])
  expect(() => placeOnDisk({ boot, core: Buffer.alloc(1300) }, 2048, 2)).toThrow(
    'takes 3 sectors, and there is room for 2',
  )
})

it('takes with a module all that it needs', () => {
  expect(moduleClosure('normal: extcmd crypto\nextcmd:\ncrypto: gcry\n', ['normal', 'ls'])).toEqual([
    'crypto',
    'extcmd',
    'gcry',
    'ls',
    'normal',
  ])
})
