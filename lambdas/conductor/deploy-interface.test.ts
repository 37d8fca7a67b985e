import { expect, it } from 'vitest'
import { defaultOptions } from '../../contract/conductor-options.ts'
import type { Node } from '../../contract/resources.ts'
import { withDeployInterface, withoutDeployInterface } from './deploy-interface.ts'
import { planSteps } from './planners.ts'
import { node as known } from './testing.ts'

const node: Node = { ...known, deploy_interface: 'autodetect' }
const on = (instance_info: Node['instance_info'], order = defaultOptions.autodetect_deploy_interfaces): Node =>
  withDeployInterface({ ...node, instance_info }, { autodetect_deploy_interfaces: order })
const files = { kernel: 'http://x/k', ramdisk: 'http://x/r' }
const oci = { image_source: 'oci://registry.example/os:13' }

it.for<[string, Node['instance_info'], string]>([
  ['an image', { image_source: 'debian' }, 'direct'],
  ['nothing', {}, 'direct'],
  ['kernel and ramdisk of a partition image', { image_source: 'debian', ...files }, 'direct'],
  ['kernel and ramdisk to boot', { ...files, ironic_ramdisk_deploy: true }, 'ramdisk'],
  ['a live ISO', { boot_iso: 'http://x/i', ironic_ramdisk_deploy: 'True' }, 'ramdisk'],
  ['a ramdisk deploy without anything to boot', { kernel: 'http://x/k', ironic_ramdisk_deploy: true }, 'direct'],
  ['an image of a registry, which its site has to look at', oci, 'autodetect'],
])('%s: autodetect stands for', ([, info, expected]) => {
  expect(on(info).deploy_interface).toBe(expected)
})

it('the operator says in which order, and what remains where nothing is asked for', () => {
  expect(on({ ...files, ironic_ramdisk_deploy: true }, ['direct', 'ramdisk']).deploy_interface).toBe('ramdisk')
  expect(on({ image_source: 'debian' }, ['direct', 'ramdisk']).deploy_interface).toBe('direct')
  expect(on(oci, ['bootc']).deploy_interface).toBe('bootc')
  expect(on(oci, ['bootc', 'ramdisk']).deploy_interface).toBe('bootc')
  expect(on({}, ['bootc', 'ramdisk']).deploy_interface).toBe('ramdisk')
})

it('what was chosen is undone, and chosen anew for what is deployed next', () => {
  const ramdisk = on({ ...files, ironic_ramdisk_deploy: true })
  expect(ramdisk.driver_internal_info).toMatchObject({ original_deploy_interface: 'autodetect' })
  expect(withoutDeployInterface(ramdisk)).toEqual({ ...node, instance_info: ramdisk.instance_info })
  const next = withDeployInterface({ ...ramdisk, instance_info: oci }, defaultOptions)
  expect(next).toEqual({ ...node, instance_info: oci })
})

it('a node that says which deploy interface it wants has it', () => {
  const direct = { ...node, deploy_interface: 'direct', instance_info: { ...files, ironic_ramdisk_deploy: true } }
  expect(withDeployInterface(direct, defaultOptions)).toBe(direct)
  expect(withoutDeployInterface(direct)).toBe(direct)
})

it('an image that its site has to look at has a plan for either', () => {
  const { image_source: reference } = oci
  const image = {
    name: reference,
    place: { kind: 'oci' as const, reference },
    disk_format: null,
    checksum: null,
    allow_md5: false,
  }
  const ground = { interfaces: { deploy: 'autodetect', boot: 'ipxe' }, disable_power_off: false }
  const instance_info = { ...oci, bootc_authorized_keys: 'ssh-ed25519 AAAA me' }
  const { steps } = planSteps({ kind: 'deploy', image, configDrive: null, steps: [] }, { ...ground, instance_info })
  const [write, loader] = steps.filter(({ step }) => /write|prepare_instance_boot/.test(step))
  expect(write).toMatchObject({
    step: 'write_image',
    args: { image, container: { authorized_keys: 'ssh-ed25519 AAAA me', kernel_arguments: '' } },
    deadline_seconds: 7200,
  })
  expect(write?.args['container']).not.toHaveProperty('image')
  expect(loader?.step).toBe('prepare_instance_boot')
})
