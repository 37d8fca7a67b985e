import { describe, expect, it } from 'vitest'
import { entryOfBls, entryOfGrub } from './menu.ts'

const debian = (wanted = '0') => `
if [ -s $prefix/grubenv ]; then
  load_env
fi
if [ "\${next_entry}" ] ; then
   set default="\${next_entry}"
else
   set default="${wanted}"
fi
function gfxmode {
	set gfxpayload="\${1}"
}
menuentry 'Debian GNU/Linux' --class debian $menuentry_id_option 'gnulinux-simple-1234' {
	load_video
	if [ x$feature_platform_search_hint = xy ]; then
	  search --no-floppy --fs-uuid --set=root 1234
	fi
	linux	/boot/vmlinuz-6.1.0-18-amd64 root=UUID=1234 ro  console=ttyS0,115200 "quoted" $vt_handoff
	initrd	/boot/initrd.img-6.1.0-18-amd64
}
submenu 'Advanced options for Debian GNU/Linux' $menuentry_id_option 'gnulinux-advanced-1234' {
	menuentry 'Debian GNU/Linux, with Linux 6.1.0-17-amd64' $menuentry_id_option 'gnulinux-6.1.0-17' {
		linux	/boot/vmlinuz-6.1.0-17-amd64 root=UUID=1234 ro single
	}
}
menuentry 'Other' $menuentry_id_option 'other' {
	linux16 ($root)/other root=/dev/vda3
}
`
const first = {
  kernel: '/boot/vmlinuz-6.1.0-18-amd64',
  initrds: ['/boot/initrd.img-6.1.0-18-amd64'],
  commandLine: 'root=UUID=1234 ro console=ttyS0,115200 quoted',
}
const other = { kernel: '/other', initrds: [], commandLine: 'root=/dev/vda3' }

describe('a menu of GRUB', () => {
  it.each([
    ['0', first],
    ['2', other],
    ['Other', other],
    ['gnulinux-simple-1234', first],
    ['1', undefined],
    ['nothing like it', undefined],
  ])('whose default is %s', (wanted, entry) => {
    expect(entryOfGrub(debian(wanted))).toEqual(entry)
  })

  it('that is none, but a list of commands, is what they say', () => {
    expect(entryOfGrub('linux /vmlinuz own.root=1\ninitrd /initrd /more\nboot\n')).toEqual({
      kernel: '/vmlinuz',
      initrds: ['/initrd', '/more'],
      commandLine: 'own.root=1',
    })
  })

  it.each([
    ['nothing', ''],
    ['no root', "menuentry 'x' {\nlinux /vmlinuz quiet\n}"],
    ['no kernel and no menu', 'set x=1\nboot\n'],
    ['no kernel', "menuentry 'x' {\nchainloader +1\n}"],
    ['braces only', '}}}}{{{{'],
  ])('with %s starts nothing', (_, config) => {
    expect(entryOfGrub(config)).toBeUndefined()
  })
})

describe('entries of the Boot Loader Specification', () => {
  const of = (version: string) => ({
    name: `id-${version}.conf`,
    text: `title Fedora\nversion ${version}\nlinux /vmlinuz-${version}\ninitrd /initramfs-${version}.img $tuned_initrd\noptions root=UUID=1 ro\noptions quiet\n`,
  })
  it('the newest one counts, and none for rescues', () => {
    const files = [of('6.9.1'), of('6.10.2'), { ...of('9'), name: 'id-0-rescue.conf' }]
    expect(entryOfBls(files)).toEqual({
      kernel: '/vmlinuz-6.10.2',
      initrds: ['/initramfs-6.10.2.img'],
      commandLine: 'root=UUID=1 ro quiet',
    })
    expect(entryOfBls([])).toBeUndefined()
    expect(entryOfBls([{ name: 'a.conf', text: 'title x' }])).toBeUndefined()
  })
})
