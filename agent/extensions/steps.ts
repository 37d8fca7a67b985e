import { z } from 'zod'
import { nodeParam, stepCall, type NodeParam, type OfferedStep } from '../../contract/agent.ts'
import { command, versionMismatch, type Command, type Outcome, type Running } from '../api/commands.ts'
import { chooseRootDisk } from '../disks/choose.ts'
import type { Disk } from '../disks/disk.ts'
import { eraseEach, erasable } from '../disks/erase-many.ts'
import { eraseOptions } from '../disks/erase-options.ts'
import { CommandFailure } from '../failure.ts'
import { writeArguments } from '../image/deploy.ts'
import type { Machine } from '../machine/machine.ts'
import { bootcInstall } from './bootc.ts'
import type { Deployed } from './deployed.ts'
import { raidSteps } from './raid.ts'
import { upkeepCleanSteps, upkeepDeploySteps, upkeepServiceSteps, upkeepSteps } from './upkeep.ts'

/** Ours is the only hardware manager. Its version changes when its steps do. */
const manager = 'BloomeryHardwareManager'
const version = '5'

const offered = (
  step: string,
  priority: number,
  argsinfo: OfferedStep['argsinfo'] = null,
  on: 'deploy' | 'raid' = 'deploy',
): OfferedStep => ({
  step,
  interface: on,
  priority,
  reboot_requested: false,
  abortable: step.startsWith('erase'),
  argsinfo,
})
const cleanSteps = [
  offered('erase_devices_metadata', 99),
  offered('erase_devices', 10),
  offered('erase_devices_express', 0),
  offered('delete_configuration', 0, null, 'raid'),
  offered('create_configuration', 0, null, 'raid'),
  ...upkeepCleanSteps,
]
const deploySteps = [
  offered('erase_devices_metadata', 0),
  offered('write_image', 0, {
    image_info: { description: 'The image: id, urls, digest and disk format.', required: true },
    configdrive: { description: 'Gzipped ISO 9660 in base64, or a URL of it.', required: false },
  }),
  offered('execute_bootc_install', 0, {
    image_source: { description: 'The container: oci://HOST/NAME:TAG.', required: true },
    instance_info: { description: 'With bootc_authorized_keys and bootc_tpm2_luks, if given.', required: false },
    configdrive: { description: 'Gzipped ISO 9660 in base64.', required: false },
  }),
  offered(
    'apply_configuration',
    0,
    {
      raid_config: { description: 'What arrays to make, as target_raid_config has it.', required: true },
      delete_existing: { description: 'Whether arrays that are there go first. Default: true.', required: false },
    },
    'raid',
  ),
  ...upkeepDeploySteps,
]
const serviceSteps = [...cleanSteps.filter(({ interface: on }) => on === 'raid'), ...upkeepServiceSteps]

const context = z.looseObject({ node: nodeParam, ports: z.array(z.unknown()).max(1000).nullish() })
const versions = z.record(z.string(), z.string()).nullish()

export type Step = (args: unknown, node: NodeParam, running: Running) => Promise<Outcome>

export function cleanExtension(machine: Machine, deployed: Deployed): Record<string, Command> {
  const steps = stepsOf(machine, deployed)
  const params = context.extend({ step: stepCall, clean_version: versions })
  return {
    get_clean_steps: command(false, context, () =>
      Promise.resolve({ clean_steps: { [manager]: cleanSteps }, hardware_manager_version: { [manager]: version } }),
    ),
    execute_clean_step: command(true, params, async ({ step, node, clean_version }, running) => {
      const known = clean_version?.[manager]
      if (known !== undefined && known !== version)
        throw new CommandFailure(
          versionMismatch,
          `${manager} is of version ${version}, and the steps were listed by ${known}`,
        )
      const run = find(steps, cleanSteps, step.interface, step.step)
      return { clean_result: await run(step.args, node, running), clean_step: step }
    }),
  }
}

export function deployExtension(machine: Machine, deployed: Deployed): Record<string, Command> {
  const steps = stepsOf(machine, deployed)
  const params = context.extend({ step: stepCall, deploy_version: versions })
  return {
    get_deploy_steps: command(false, context, () =>
      Promise.resolve({ deploy_steps: { [manager]: deploySteps }, hardware_manager_version: { [manager]: version } }),
    ),
    execute_deploy_step: command(true, params, async ({ step, node }, running) => {
      const run = find(steps, deploySteps, step.interface, step.step)
      return { deploy_result: await run(step.args, node, running), deploy_step: withoutDrive(step) }
    }),
  }
}

/** Of a machine whose system stays on its disk. */
export function serviceExtension(machine: Machine, deployed: Deployed): Record<string, Command> {
  const steps = stepsOf(machine, deployed)
  const params = context.extend({ step: stepCall, service_version: versions })
  return {
    get_service_steps: command(false, context, () =>
      Promise.resolve({ service_steps: { [manager]: serviceSteps }, hardware_manager_version: { [manager]: version } }),
    ),
    execute_service_step: command(true, params, async ({ step, node }, running) => {
      const run = find(steps, serviceSteps, step.interface, step.step)
      return { service_result: await run(step.args, node, running), service_step: withoutDrive(step) }
    }),
  }
}

function stepsOf(machine: Machine, deployed: Deployed): Record<string, Step> {
  return {
    ...raidSteps(machine),
    ...upkeepSteps(machine, deployed),
    erase_devices_metadata: (_args, node) =>
      erasing(machine, node, async (disks) => {
        for (const disk of disks) await machine.eraseMetadata(disk)
      }),
    erase_devices: (_args, node, { progress }) =>
      erasing(machine, node, (disks) => {
        const options = eraseOptions(node)
        const erase = (disk: Disk, report: (done: number) => void) => machine.eraseFully(disk, options, report)
        return eraseEach(disks, options.concurrency, erase, progress)
      }),
    erase_devices_express: (_args, node) =>
      erasing(machine, node, async (disks) => {
        for (const disk of disks) await machine.eraseExpress(disk)
      }),
    async execute_bootc_install(args, node, { progress }) {
      const wanted = bootcInstall(args, node)
      const disk = chooseRootDisk(await machine.disks(), node)
      deployed.disk = disk
      deployed.written = await machine.installContainer(wanted, disk, progress)
      return deployed.written.said
    },
    async write_image(args, node, { progress }) {
      const parsed = writeArguments.safeParse(args)
      if (!parsed.success)
        throw new CommandFailure('InvalidCommandParamsError', `write_image: ${z.prettifyError(parsed.error)}`, {
          code: 400,
        })
      const disk = chooseRootDisk(await machine.disks(), node)
      deployed.disk = disk
      deployed.written = await machine.writeImage(parsed.data, disk, progress)
      return deployed.written.said
    },
  }
}

async function erasing(machine: Machine, node: NodeParam, erase: (disks: Disk[]) => Promise<void>): Promise<null> {
  const disks = erasable(await machine.disks(), node)
  await erase(disks)
  const arrays = disks.filter(({ members }) => members !== undefined)
  if (arrays.length > 0) await machine.forgetLoaders(arrays.map(({ name }) => name))
  return null
}

function find(steps: Record<string, Step>, offers: readonly OfferedStep[], on: string, name: string): Step {
  const offer = offers.find((each) => each.step === name && each.interface === on)
  const step = offer && steps[name]
  if (step) return step
  throw new CommandFailure('CommandExecutionError', `this agent has no step ${on}.${name} here`, { code: 404 })
}

/** The step is echoed in the result. A config drive is large and holds keys; image_info may hold passwords. */
function withoutDrive(step: z.output<typeof stepCall>): Record<string, unknown> {
  return { step: step.step, interface: step.interface }
}
