import { describe, expect, it } from 'vitest'
import { installerArguments } from '../../contract/plan-sources.ts'
import { installer } from './installer.ts'
import { planSteps } from './planners.ts'

const files = { kernel: 'http://x/vmlinuz', ramdisk: 'http://x/initrd' }
const whole = { ...files, stage2: 'http://x/install.img', image_source: 'http://x/tree' }

it('says all that the site needs', () => {
  const made = installer(
    { ...whole, ks_template: 'http://x/ks', ks_template_checksum: 'A'.repeat(64), kernel_append_params: 'a=b' },
    'ipxe',
  )
  expect(installerArguments.parse(made)).toEqual({
    files: {
      kernel: { url: files.kernel, digest: null },
      ramdisk: { url: files.ramdisk, digest: null },
      stage2: { url: whole.stage2, digest: null },
    },
    template: { url: 'http://x/ks', digest: { algorithm: 'sha256', value: 'a'.repeat(64) } },
    repo_url: whole.image_source,
    cmdline: 'a=b',
  })
})

describe('is refused', () => {
  it.each([
    [{}, 'lacks kernel'],
    [{ kernel: files.kernel }, 'lacks ramdisk'],
    [files, 'lacks stage2'],
    [{ ...files, stage2: 'http://x/s' }, 'lacks what is to be installed'],
    [{ ...whole, image_source: 'debian-12' }, 'an installation tree'],
    [{ ...whole, image_source: 'http://x/a b' }, 'percent-encoded'],
    [{ ...whole, liveimg_url: "http://x/'" }, 'percent-encoded'],
    [{ ...whole, ks_template: 'file:///ks' }, 'instance_info/ks_template is not an http(s) URL'],
    [{ ...whole, kernel_append_params: '$(reboot)' }, "can't be told to every boot loader"],
  ])('%j: %s', (info, why) => {
    expect(() => installer(info, 'ipxe')).toThrow(why)
  })

  it.each(['redfish-virtual-media', 'idrac-redfish-virtual-media', 'redfish-https'])('boot interface %s', (boot) => {
    expect(() => installer(whole, boot)).toThrow('use a boot interface of the network')
  })
})

it.each<[string, Record<string, string>]>([
  ['whose second stage is in the tree', { ...files, image_source: 'http://x/tree' }],
  ['of a live image', { ...files, stage2: 'http://x/s', liveimg_url: 'http://x/live' }],
  ['of whatever a template says', { ...files, stage2: 'http://x/s', ks_template: 'http://x/ks' }],
])('is an installation %s', (_, info) => {
  expect(installerArguments.safeParse(installer(info, 'pxe')).success).toBe(true)
})

it.each([
  [
    false,
    ['power_off', 'prepare_installer', 'power_on', 'await_installer', 'power_off', 'prepare_instance', 'boot_instance'],
  ],
  [true, ['prepare_installer', 'reset', 'await_installer', 'prepare_instance', 'reset']],
])('a deploy has the installer in the place of the agent; never switched off: %s', (disable_power_off, expected) => {
  const on = { interfaces: { deploy: 'anaconda', boot: 'ipxe' }, instance_info: whole, disable_power_off }
  const { steps } = planSteps({ kind: 'deploy', image: null, configDrive: null, steps: [] }, on)
  expect(steps.map(({ step }) => step)).toEqual(expected)
})
