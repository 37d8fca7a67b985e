import { expect, it } from 'vitest'
import type { RemoteImage } from '../../contract/images/remote.ts'
import { stepArguments } from '../../contract/step-arguments.ts'
import { bootcOf } from './bootc.ts'
import { planSteps } from './planners.ts'

const image: RemoteImage = {
  name: 'oci://registry.example/os:13',
  place: { kind: 'oci', reference: 'oci://registry.example/os:13' },
  disk_format: null,
  checksum: null,
  allow_md5: false,
}
const info = { bootc_authorized_keys: 'ssh-ed25519 AAAA me\n', bootc_tpm2_luks: 'true', kernel_append_params: 'quiet' }

it('a deploy installs the container in the place of an image, and leaves loaders to it', () => {
  const on = { interfaces: { deploy: 'bootc', boot: 'ipxe' }, instance_info: info, disable_power_off: false }
  const { steps } = planSteps({ kind: 'deploy', image, configDrive: null, steps: [] }, on)
  expect(steps.map(({ step }) => step)).toEqual([
    'power_off',
    'prepare_ramdisk',
    'power_on',
    'start_agent',
    'execute_bootc_install',
    'tear_down_agent',
    'prepare_instance',
    'boot_instance',
  ])
  const args = steps.find(({ step }) => step === 'execute_bootc_install')?.args
  expect(stepArguments['deploy.execute_bootc_install'].parse(args)).toEqual({
    image,
    config_drive: null,
    authorized_keys: info.bootc_authorized_keys,
    tpm2_luks: true,
    kernel_arguments: 'quiet',
  })
})

it('nothing is said of what was not asked for', () => {
  expect(bootcOf(image, {})).toEqual({ image, kernel_arguments: '' })
})

it.each([
  [{ ...image, place: { kind: 'file', path: '/x' } } as const, {}, 'installs a container, oci://HOST/NAME:TAG'],
  [image, { bootc_authorized_keys: 'a\0b' }, 'instance_info/bootc_authorized_keys: are lines of printable ASCII'],
  [image, { bootc_authorized_keys: 7 }, 'instance_info/bootc_authorized_keys'],
  [image, { bootc_tpm2_luks: 'perhaps' }, 'instance_info/bootc_tpm2_luks'],
  [image, { kernel_append_params: "init='/bin/sh'" }, "can't be told to every boot loader"],
])('what can’t be installed is refused: %#', (of, given, why) => {
  expect(() => bootcOf(of, given)).toThrow(why)
})
