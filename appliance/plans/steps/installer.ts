import type { InstanceFile } from '../../../contract/plan-sources.ts'
import { poll } from '../../clock.ts'
import { HardwareError } from '../../hardware-error.ts'
import { type KickstartOptions, makeKickstart, MOST_KICKSTART, ownKickstart } from '../../installers/kickstart.ts'
import type { StepArguments, StepContext, StepRunner } from '../step.ts'
import { hostname, setBootOf } from './boot.ts'

/** Somebody else's installer (Anaconda) in place of the agent: it is told all in its kickstart, and says itself how it goes. */

type Wanted = StepArguments<'boot.prepare_installer'>

/** A firmware that doesn't come up, or an installer without a way to this site, is told from one that works for hours. */
const FIRST_WORD_MS = 30 * 60_000
const OFF_MS = 60_000

export const prepareInstaller: StepRunner<'boot.prepare_installer'> = async (wanted, on) => {
  const { node, generation } = on.plan
  const { files, cmdline, repo_url: repo } = wanted
  const instance = {
    kernel: await bring(on, files.kernel, "the installer's kernel"),
    initrd: await bring(on, files.ramdisk, "the installer's ramdisk"),
    ...(files.stage2 && { stage2: await bring(on, files.stage2, "the installer's second stage") }),
    kickstart: await kickstartOf(wanted, on),
  }
  const source = files.stage2 ? `inst.stage2=${on.media.ownUrl}` : `inst.repo=${repo}`
  on.agents.wipe(node)
  on.agents.expectInstaller(node)
  on.machines.setBoot(node, generation, {
    mode: 'instance',
    instance: { ...instance, cmdline: `inst.ks=${on.media.ownUrl}/ks.cfg ${source} ${cmdline}`.trim() },
    hostname: hostname(on),
  })
  // Once: what it installed is what boots after it.
  await setBootOf(on, 'pxe', false)
}

function bring(on: StepContext, file: InstanceFile, what: string): Promise<string> {
  return on.images.file(file, what, {
    ...transfer(on, what),
    progress: (percent) => on.note(`fetching ${what} to the site`, percent),
  })
}

async function kickstartOf({ template, config_drive: drive, ...wanted }: Wanted, on: StepContext): Promise<string> {
  const what = 'the kickstart template'
  const source = template
    ? { name: template.url, text: await on.images.text(template, what, MOST_KICKSTART, transfer(on, what)) }
    : ownKickstart
  const options: KickstartOptions = {
    heartbeat_url: `${on.doorUrl}/v1/heartbeat/${on.plan.node}`,
    repo_url: wanted.repo_url,
    liveimg_url: wanted.liveimg_url,
  }
  return makeKickstart(source, options, drive && (await on.images.configDrive(drive, transfer(on, 'the config drive'))))
}

function transfer(on: StepContext, what: string) {
  return {
    commandOf: on.plan.id,
    signal: on.signal,
    trouble: (text: string) => on.note(`waiting for ${what}: ${text}`),
  }
}

export const awaitInstaller: StepRunner<'deploy.await_installer'> = async (_args, on) => {
  const { node } = on.plan
  const begun = new Date(Math.min(on.started.getTime() + FIRST_WORD_MS, on.deadline.getTime()))
  const first = await poll(on.clock, { until: begun, everyMs: 1000, signal: on.signal }, async () => {
    on.note(on.agents.lastSeen(node, on.started) ?? 'powered on; nothing seen of it yet')
    return on.agents.installerSaid(node)
  })
  if (!first)
    throw new HardwareError(
      `no word of the installer within ${minutes(begun, on)} min of power on; ${on.agents.lastSeen(node, on.started) ?? 'nothing was seen of the machine'}`,
    )
  const end = await poll(on.clock, { until: on.deadline, everyMs: 1000, signal: on.signal }, async () => {
    const said = on.agents.installerSaid(node)
    on.note(`installing: ${said?.message ?? ''}`)
    return said && said.status !== 'start' ? said : undefined
  })
  if (!end) throw new HardwareError(`the installer began, and said nothing more within ${minutes(on.deadline, on)} min`)
  if (end.status === 'error') throw new HardwareError(`the installer failed: ${end.message || 'it does not say why'}`)
  await awaitOff(on)
}

/** A kickstart that ends with `poweroff` has its file systems unmounted; others are cut off. */
async function awaitOff(on: StepContext): Promise<void> {
  on.note('installed; waiting for the machine to switch itself off')
  const bmc = await on.bmc()
  const until = new Date(Math.min(on.clock.now().getTime() + OFF_MS, on.deadline.getTime()))
  const off = await poll(on.clock, { until, everyMs: 2000, signal: on.signal }, async () =>
    (await bmc.power()) === 'power off' ? true : undefined,
  )
  if (off) on.observed({ power: 'power off' })
}

function minutes(until: Date, on: StepContext): number {
  return Math.round((until.getTime() - on.started.getTime()) / 60_000)
}
