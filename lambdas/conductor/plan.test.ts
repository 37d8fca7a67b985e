import { describe, expect, it } from 'vitest'
import { plan as planSchema, stepName, type Plan, type PlanKind } from '../../contract/plan.ts'
import { stepArguments, type StepName } from '../../contract/step-arguments.ts'
import type { Node, Port } from '../../contract/resources.ts'
import { partitionsOf } from './partition-image.ts'
import { makePlan, pendingLane } from './plan.ts'
import { type Asked, planSteps, type Request } from './planners.ts'
import type { Ground } from './ramdisk.ts'
import { node as blank, port } from './testing.ts'

const image = {
  name: 'debian',
  source: { kind: 'blob' as const, key: 'images/3c5a1c6e-7a55-4d2c-9a86-6d3f0c1e2b11' },
  size: 1_073_741_824,
  disk_format: 'raw' as const,
  os_hash_algo: 'sha256' as const,
  os_hash_value: 'a'.repeat(64),
}
const configDrive = { source: { kind: 'blob' as const, key: 'config-drives/x' }, size: 512, sha256: 'b'.repeat(64) }
const erase: Asked = { name: 'deploy.erase_devices_metadata', args: {}, priority: 0 }
const requests: { [K in PlanKind]: Request } = {
  verify: { kind: 'verify' },
  inspect: { kind: 'inspect' },
  adopt: { kind: 'adopt' },
  clean: { kind: 'clean', steps: [erase] },
  deploy: { kind: 'deploy', image, configDrive, steps: [] },
  service: { kind: 'service', steps: [{ name: 'plan.wait', args: { seconds: 5 }, priority: 0 }] },
  rescue: { kind: 'rescue' },
  unrescue: { kind: 'unrescue' },
  tear_down: { kind: 'tear_down' },
  power: { kind: 'power', target: 'soft power off', timeout: 300 },
  boot_device: { kind: 'boot_device', device: 'pxe', persistent: false },
  management: { kind: 'management', name: 'management.inject_nmi', args: {} },
}
const ground = { interfaces: {}, disable_power_off: false }
const kinds = Object.keys(requests) as PlanKind[]
const now = new Date('2026-11-23T10:00:00.000Z')
const id = '7f0f5a6c-54c5-4e34-9a55-0d1a7b7f9d10'

function planOf(kind: PlanKind, of: Node = blank, ports: Port[] = [port]): Plan {
  const lane = kind === 'power' || kind === 'boot_device' || kind === 'management' ? 'power' : 'provision'
  return makePlan({ ...of, generation: 7 }, ports, requests[kind], lane, { id, now })
}

describe.each(kinds)('the plan to %s', (kind) => {
  it('is what it was', async () => {
    await expect(`${JSON.stringify(planOf(kind), undefined, 2)}\n`).toMatchFileSnapshot(`golden/${kind}.json`)
  })

  it('is a plan, whose every step has the arguments that sites expect', () => {
    const plan = planSchema.parse(planOf(kind))
    for (const step of [...plan.steps, ...plan.on_failure])
      expect(stepArguments[stepName(step) as StepName].safeParse(step.args).success, stepName(step)).toBe(true)
  })
})

describe('a plan', () => {
  it('leaves the machine off when it fails half-way', () => {
    for (const kind of ['clean', 'deploy'] as const)
      expect(planOf(kind).on_failure.map(stepName)).toEqual(['power.power_off', 'boot.clean_up_ramdisk'])
  })

  it('gives a graceful power change the time that was asked for', () => {
    const plain = planSteps({ kind: 'power', target: 'power off', timeout: null }, ground).steps[0]
    const patient = planSteps({ kind: 'power', target: 'soft power off', timeout: 600 }, ground).steps[0]
    expect(patient?.deadline_seconds).toBe((plain?.deadline_seconds ?? 0) + 600)
  })

  it('refuses an architecture that no site has', () => {
    expect(() => planOf('verify', { ...blank, properties: { cpu_arch: 'ppc64le' } })).toThrow(/ppc64le/)
  })
})

const names = (request: Request, on: Partial<Ground> = {}): string[] =>
  planSteps(request, { ...ground, ...on }).steps.map(stepName)

it("a BMC's clock is looked at where the operator wants it, and the BMC can be told it", () => {
  const clock: Request = { kind: 'verify', setsClock: true }
  const last = 'management.read_hardware'
  const redfish = { interfaces: { management: 'redfish' } }
  expect(names(clock, redfish)).toEqual(['power.validate', 'management.verify_bmc_clock', last])
  expect(names(requests.verify, redfish)).toEqual(['power.validate', last])
  expect(names(clock, { interfaces: { management: 'ipmitool' } })).toEqual(['power.validate'])
})

describe('fake interfaces', () => {
  const fake = { interfaces: { boot: 'fake', deploy: 'fake', inspect: 'fake', rescue: 'fake' } }
  it.each([
    ['verify', ['power.validate']],
    ['inspect', ['inspect.inspect_hardware']],
    ['clean', ['deploy.erase_devices_metadata']],
    ['rescue', ['rescue.finalize_rescue']],
    ['unrescue', ['deploy.boot_instance']],
    ['tear_down', ['power.power_off']],
  ] as const)('%s without a ramdisk, and without waiting', (kind, steps) => {
    expect(names(requests[kind], fake)).toEqual(steps)
    expect(planSteps(requests[kind], { ...ground, ...fake }).steps.filter(({ waits }) => waits)).toEqual([])
  })

  it('deploy without image', () => {
    expect(names({ kind: 'deploy', image: null, configDrive: null, steps: [] }, fake)).toEqual([
      'deploy.deploy',
      'deploy.boot_instance',
    ])
  })
})

describe('fast track', () => {
  const on = { interfaces: {}, fast_track: true }
  it('lets agents stay after an inspection and a cleaning, and boots the ramdisk only where none is', () => {
    expect(names(requests.inspect, on)).toEqual([
      'deploy.boot_ramdisk',
      'deploy.start_agent',
      'inspect.inspect_hardware',
    ])
    expect(names(requests.clean, on)).toEqual([
      'deploy.boot_ramdisk',
      'deploy.start_agent',
      'deploy.erase_devices_metadata',
    ])
    expect(names(requests.deploy, on).slice(0, 3)).toEqual([
      'deploy.boot_ramdisk',
      'deploy.start_agent',
      'deploy.write_image',
    ])
  })

  it.each([
    [{}, true, true],
    [{ fast_track: 'false' }, true, undefined],
    [{ fast_track: true }, false, true],
    [{}, false, undefined],
    [{ fast_track: 'maybe' }, false, undefined],
  ])('of a node that says %j, with the option %s: %s', (driver_info, fast_track, is) => {
    const node = { ...blank, driver_info, boot_interface: 'ipxe', generation: 7 }
    const plan = makePlan(node, [port], requests.clean, 'provision', { id, now, options: { fast_track } })
    expect(plan.machine.fast_track).toBe(is)
  })
})

it('by kexec the boot of the disk is prepared before the agent ends, and takes the place of a restart', () => {
  const ends = (on: Partial<Ground>) => names(requests.deploy, on).slice(-3)
  const kexec = ['deploy.prepare_instance_boot', 'boot.prepare_instance', 'deploy.kexec_instance']
  expect(ends({ driver_info: { kexec: 'true' } })).toEqual(kexec)
  expect(ends({ driver_info: { kexec: true }, disable_power_off: true })).toEqual(kexec)
  expect(ends({ driver_info: { kexec: 'no' } })).toEqual([
    'deploy.tear_down_agent',
    'boot.prepare_instance',
    'deploy.boot_instance',
  ])
})

describe("where RAID is the agent's", () => {
  const on = { interfaces: { raid: 'agent' } }
  const raid = (priority: number): Asked => ({
    name: 'raid.apply_configuration',
    args: { raid_config: {}, delete_existing: true },
    priority,
  })

  it('arrays are made in the ramdisk, by cleaning or before the image is written', () => {
    const cleaned = names({ kind: 'clean', steps: [raid(0)] }, on)
    expect(cleaned.slice(cleaned.indexOf('deploy.start_agent'))[1]).toBe('raid.apply_configuration')
    for (const priority of [90, 150]) {
      const deployed = names({ kind: 'deploy', image, configDrive: null, steps: [raid(priority)] }, on)
      const [started, made, written] = ['deploy.start_agent', 'raid.apply_configuration', 'deploy.write_image'].map(
        (name) => deployed.indexOf(name),
      )
      expect([started! < made!, made! < written!]).toEqual([true, true])
    }
  })

  it('a controller makes its own without one', () => {
    const redfish = { interfaces: { raid: 'redfish' } }
    expect(names({ kind: 'clean', steps: [raid(0)] }, redfish)).toEqual(['raid.apply_configuration'])
  })
})

it('an image of a root file system is written with the partitions that it needs', () => {
  const of = { ...blank, instance_info: { image_type: 'partition', root_gb: 10 } }
  const partitions = partitionsOf(of)
  const { steps } = planSteps({ kind: 'deploy', image, configDrive: null, partitions, steps: [] }, ground)
  const write = steps.find(({ step }) => step === 'write_image')
  expect(stepArguments['deploy.write_image'].parse(write?.args)).toMatchObject({ partitions: { root_mb: 10_240 } })
})

describe('where the instance is a ramdisk', () => {
  const interfaces = { deploy: 'ramdisk', boot: 'ipxe' }
  const instance_info = { kernel: 'http://x/vmlinuz', ramdisk: 'http://x/initrd', kernel_append_params: 'quiet' }
  const on = { interfaces, instance_info }
  const deploy: Request = { kind: 'deploy', image: null, configDrive: null, steps: [] }

  it('deploys without agent, image or wait, and the step says all that the site needs', () => {
    expect(names(deploy, on)).toEqual(['power.power_off', 'boot.prepare_instance_ramdisk', 'deploy.boot_instance'])
    const { steps, on_failure } = planSteps(deploy, { ...ground, ...on })
    expect(steps.filter(({ waits }) => waits)).toEqual([])
    const args = stepArguments['boot.prepare_instance_ramdisk'].parse(steps[1]?.args)
    expect(args).toMatchObject({ files: { kernel: { url: 'http://x/vmlinuz' } }, cmdline: 'quiet' })
    expect(on_failure.map(stepName)).toEqual(['power.power_off', 'boot.clean_up_ramdisk'])
  })

  it('comes back to it after rescue, is adopted with it, and is cleaned by the agent as ever', () => {
    expect(names(requests.unrescue, on).slice(-2)).toEqual(['boot.prepare_instance_ramdisk', 'deploy.boot_instance'])
    expect(names(requests.adopt, on)).toEqual(['power.validate', 'boot.prepare_instance_ramdisk'])
    expect(names(requests.clean, on)).toEqual(names(requests.clean))
  })

  it('carries out the steps that are asked for before', () => {
    const raid: Asked = { name: 'raid.create_configuration', args: {}, priority: 150 }
    expect(names({ ...deploy, steps: [raid] }, on)[0]).toBe('raid.create_configuration')
  })

  it('is restarted where it must not be off', () => {
    expect(names(deploy, { ...on, disable_power_off: true })).toEqual(['boot.prepare_instance_ramdisk', 'power.reset'])
  })

  it('is not planned for an instance that names nothing to boot', () => {
    expect(() => names(deploy, { interfaces })).toThrow(/lacks kernel and ramdisk/)
  })
})

describe('steps that are asked for with a deploy', () => {
  const raid: Asked = { name: 'raid.create_configuration', args: {}, priority: 150 }
  const bios: Asked = { name: 'bios.factory_reset', args: {}, priority: 60 }
  const deploy = (...steps: Asked[]): Request => ({ kind: 'deploy', image, configDrive, steps })

  it('come in order of priority; those above the start of the agent before it', () => {
    const order = names(deploy(bios, raid))
    expect(order[0]).toBe('raid.create_configuration')
    expect(order.slice(5, 9)).toEqual([
      'deploy.write_image',
      'deploy.prepare_instance_boot',
      'bios.factory_reset',
      'deploy.tear_down_agent',
    ])
  })

  it('do not run with priority 0', () => {
    expect(names(deploy({ ...raid, priority: 0 }))).toEqual(names(deploy()))
  })
})

describe('a machine that must not be off', () => {
  it.each(kinds.filter((kind) => kind !== 'power'))('is never switched off to %s', (kind) => {
    const { steps, on_failure } = planSteps(requests[kind], { ...ground, disable_power_off: true })
    expect([...steps, ...on_failure].map(stepName)).not.toContain('power.power_off')
    expect(steps.length).toBeGreaterThan(0)
  })

  it.each(['rebooting', 'soft rebooting'] as const)('%s is a reset of it', (target) => {
    expect(names({ kind: 'power', target, timeout: null }, { disable_power_off: true })).toEqual(['power.reset'])
  })

  it('is restarted after its next boot is changed, and last of all into its instance', () => {
    const order = names(requests.deploy, { disable_power_off: true })
    expect(order.slice(0, 2)).toEqual(['boot.prepare_ramdisk', 'power.reset'])
    expect(order.at(-1)).toBe('power.reset')
  })
})

describe('what is pending', () => {
  it('is an operation without plan in the lane that it belongs to', () => {
    const deadline = now.toISOString()
    expect(pendingLane(blank)).toBeUndefined()
    expect(pendingLane({ ...blank, provision_state: 'deploying', deadline })).toBe('provision')
    expect(pendingLane({ ...blank, provision_state: 'wait call-back', deadline })).toBeUndefined()
    expect(pendingLane({ ...blank, provision_state: 'active', deadline })).toBe('power')
  })
})
