import type { Machine, Plan } from '../../../contract/plan.ts'
import type { WantedImage } from '../../../contract/plan-sources.ts'
import type { PartitionImage } from '../../../contract/partition-image.ts'
import { boolean } from '../../../contract/stored.ts'
import { CommandFailed } from '../../agents/agents.ts'
import { poll } from '../../clock.ts'
import { setPower } from '../../power/change.ts'
import { HardwareError, sentence } from '../../hardware-error.ts'
import type { ServedImage } from '../../images/images.ts'
import { isRemote } from '../../images/sources/with-remote.ts'
import type { StepContext, StepRunner } from '../step.ts'
import { executeBootcInstall, isContainer, transferOf, wasInstalled } from './bootc.ts'
import { hasAgentPower, isOn, powerOn, powerWait } from './power.ts'

/** Waits for the ramdisk's agent to come up; the deadline says how far the machine got. */
export const startAgent: StepRunner<'deploy.start_agent'> = async (_args, on) => {
  const { node } = on.plan
  const up = await poll(on.clock, { until: on.deadline, everyMs: 1000, signal: on.signal }, async () => {
    on.note(on.agents.lastSeen(node, on.started) ?? 'powered on; nothing seen of it yet')
    return on.agents.isUp(node) ? true : undefined
  })
  if (up) return hasAgentPower(on) ? isOn(on) : undefined
  const seconds = Math.round((on.deadline.getTime() - on.started.getTime()) / 1000)
  const seen = on.agents.lastSeen(node, on.started)
  throw new HardwareError(
    `no agent within ${seconds} s of power on; ` +
      (seen ?? 'nothing was seen of the machine: no DHCP request reached this site (boot device, cabling, VLAN?)'),
  )
}

export const writeImage: StepRunner<'deploy.write_image'> = async (wanted, on) => {
  const { image, config_drive, partitions, container } = wanted
  if (container && isRemote(image) && (await isContainer(image, on)))
    return executeBootcInstall({ image, config_drive, ...container }, on)
  const transfer = transferOf(image, on)
  const configdrive = async () => (config_drive ? on.images.configDrive(config_drive, transfer) : null)
  const write = async (): Promise<void> => {
    const served = await on.images.fetch(image, {
      ...transfer,
      progress: (percent) => on.note(`fetching image ${image.name} to the site`, percent / 2),
    })
    await giveToAgent(on, { image, served, partitions }, await configdrive())
  }
  try {
    await write()
  } catch (error) {
    // The agent compares digests: what it refuses may have rotted on this site's disk.
    if (!(error instanceof CommandFailed) || (await on.images.isSound(image, transfer))) throw error
    on.note(`this site's copy of image ${image.name} was damaged: fetching it again`)
    await write()
  }
}

interface Written {
  image: WantedImage
  served: ServedImage
  partitions: PartitionImage | undefined
}

async function giveToAgent(on: StepContext, what: Written, configdrive: string | null): Promise<void> {
  const { image, served } = what
  await on.agents.runStep(on, 'deploy', {
    step: { interface: 'deploy', step: 'write_image' },
    args: {
      image_info: imageInfo(what, on.plan),
      configdrive,
    },
    busy: `writing image ${image.name}`,
    // One in chunks goes straight through the site, one from elsewhere past it.
    percent: (own) => ((served.manifest ?? served.elsewhere) === undefined ? 50 + own / 2 : own),
  })
}

/** Keys as ironic-python-agent reads them (reference §6.5). */
function imageInfo({ image, served, partitions }: Written, { node, machine }: Plan): Record<string, unknown> {
  return {
    id: image.name.split('/').at(-1),
    urls: [served.url],
    disk_format: served.elsewhere?.format ?? 'raw',
    container_format: 'bare',
    stream_raw_images: true,
    os_hash_algo: served.algorithm,
    os_hash_value: served.digest,
    image_type: partitions ? 'partition' : 'whole-disk',
    ...(partitions && { ...partitions, boot_option: 'local', deploy_boot_mode: machine.boot_mode }),
    node_uuid: node,
    ...(served.elsewhere?.basic !== undefined && { image_request_authorization: served.elsewhere.basic }),
    ...(served.manifest !== undefined &&
      'manifest' in image && {
        bloomery_manifest: {
          url: served.manifest,
          sha256: image.manifest?.sha256,
          ...(served.peerToken !== undefined && sharesImages(machine) && { peers: { token: served.peerToken } }),
        },
      }),
  }
}

/** driver_info/image_peers: whether this machine gives chunks to others of its network and takes them. */
function sharesImages({ driver_info: { image_peers: shares } }: Machine): boolean {
  return boolean
    .default(true)
    .catch(true)
    .parse(shares ?? undefined)
}

export const prepareInstanceBoot: StepRunner<'deploy.prepare_instance_boot'> = async (_args, on) => {
  const { boot_mode: mode, interfaces } = on.plan.machine
  if (await wasInstalled(on)) return
  // A BIOS runs what the image has in its first sector; of an array and of partitions there is none.
  const hasPartitions = on.plan.steps.some(
    ({ step, args }) => step === 'write_image' && args['partitions'] !== undefined,
  )
  if (mode !== 'uefi' && interfaces['raid'] !== 'agent' && !hasPartitions) return
  on.note('recording the boot loader')
  const uuids = await on.agents.call(on, 'standby.get_partition_uuids', {})
  await on.agents.runCommand(on, 'image.install_bootloader', {
    root_uuid: uuids['root uuid'] ?? null,
    efi_system_part_uuid: uuids['efi system partition uuid'] ?? null,
    prep_boot_part_uuid: null,
    target_boot_mode: mode,
    ignore_bootloader_failure: false,
  })
}

/** The agent halts the machine, so that what it wrote is on the disk; a machine that doesn't obey is switched off. */
export const tearDownAgent: StepRunner<'deploy.tear_down_agent'> = async (_args, on) => {
  if (on.plan.machine.disable_power_off) return lockDown(on)
  const bmc = await on.bmc()
  if ((await bmc.power()) === 'power on') {
    on.note('asking the agent to power off')
    const asked = await powerOffBySelf(on)
    if (asked) {
      const until = new Date(Math.min(on.clock.now().getTime() + 60_000, on.deadline.getTime()))
      await poll(on.clock, { until, everyMs: 1000, signal: on.signal }, async () =>
        (await bmc.power()) === 'power off' ? true : undefined,
      )
    }
  }
  on.observed({ power: await setPower(bmc, 'power off', powerWait(on)) })
  on.agents.wipe(on.plan.node)
}

/** The machine must not be off (reference §3.2): the agent ends, and takes the network down with it. */
async function lockDown(on: StepContext): Promise<void> {
  if (!on.agents.isUp(on.plan.node)) return
  on.note('asking the agent to end')
  await on.agents.call(on, 'standby.sync', {})
  // It is the one that restarts the machine.
  if (hasAgentPower(on)) return
  await on.agents.call(on, 'system.lockdown', {})
  on.agents.wipe(on.plan.node)
}

async function powerOffBySelf(on: StepContext): Promise<boolean> {
  try {
    await on.agents.call(on, 'standby.sync', {})
    await on.agents.powerOff(on)
    return true
  } catch (error) {
    on.signal.throwIfAborted()
    on.note(`the agent did not power the machine off (${sentence(error)}); using the BMC`)
    return false
  }
}

export const bootInstance: StepRunner<'deploy.boot_instance'> = (_args, on) => powerOn({}, on)
