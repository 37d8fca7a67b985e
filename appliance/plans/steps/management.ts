import type { BiosSetting, HardwareFacts } from '../../../contract/hardware-facts.ts'
import { type Bmc, type BmcManagement, requireMore } from '../../drivers/bmc.ts'
import { HardwareError, sentence } from '../../hardware-error.ts'
import type { StepContext, StepRunner } from '../step.ts'

/** A report has to fit into one message, with room to spare. */
const PART_BYTES = 40 * 1024
/** A BMC that answers 500 is asked again for a minute, and that for each of its sections. */
const PATIENCE_MS = 180_000

async function have<K extends keyof BmcManagement>(on: StepContext, part: K): Promise<BmcManagement[K]> {
  return requireMore(await on.bmc(), on.plan.machine.driver, part)
}

/** The machine gets one for each attempt: after a crash it may be the second. */
export const injectNmi: StepRunner<'management.inject_nmi'> = async (_args, on) => {
  on.note('injecting an NMI')
  await (
    await have(on, 'injectNmi')
  )()
}

export const setBootMode: StepRunner<'management.set_boot_mode'> = async ({ mode }, on) => {
  on.note(`setting boot mode ${mode}`)
  await (
    await have(on, 'setBootMode')
  )(mode)
  on.read({ read_at: on.clock.now().toISOString(), boot_mode: mode })
}

export const setSecureBoot: StepRunner<'management.set_secure_boot'> = async ({ enabled }, on) => {
  on.note(`switching Secure Boot ${enabled ? 'on' : 'off'}`)
  await (
    await have(on, 'setSecureBoot')
  )(enabled)
  on.read({ read_at: on.clock.now().toISOString(), secure_boot: enabled })
}

export const setIndicator: StepRunner<'management.set_indicator'> = async ({ component, indicator, state }, on) => {
  on.note(`setting indicator ${indicator} to ${state}`)
  await (
    await have(on, 'setIndicator')
  )(component, indicator, state)
  await reread(on, ['indicators'])
}

export const attachVirtualMedia: StepRunner<'management.attach_virtual_media'> = async (
  { device_type: device, image_url: image },
  on,
) => {
  on.note(`inserting virtual ${device}`)
  await (
    await have(on, 'attachMedia')
  )(device, image)
  await reread(on, ['virtual_media'])
}

export const detachVirtualMedia: StepRunner<'management.detach_virtual_media'> = async (
  { device_types: devices },
  on,
) => {
  on.note('ejecting virtual media')
  await (
    await have(on, 'detachMedia')
  )(devices)
  await reread(on, ['virtual_media'])
}

export const readSensors: StepRunner<'management.read_sensors'> = async (_args, on) => {
  on.note('reading the sensors of the BMC')
  const look = await have(on, 'readHealth')
  const { readings } = await look(null, (question) => {
    on.signal.throwIfAborted()
    return question()
  })
  // Names of BMCs may be long, and of letters that take three bytes.
  let bytes = 0
  const sensors = readings.filter((each) => (bytes += Buffer.byteLength(JSON.stringify(each)) + 1) < PART_BYTES)
  on.read({ read_at: on.clock.now().toISOString(), sensors })
}

export const readHardware: StepRunner<'management.read_hardware'> = async (_args, on) => {
  on.note('reading settings and versions from the BMC')
  const bmc = await on.bmc()
  const ended = new AbortController()
  const late = on.clock.sleep(PATIENCE_MS, AbortSignal.any([on.signal, ended.signal])).then(() => 'late')
  const told = tellHardware({ ...on, read: (facts) => void (ended.signal.aborted || on.read(facts)) }, bmc)
  try {
    if ((await Promise.race([told, late])) === 'late')
      on.note('the BMC takes too long to tell its settings and versions')
  } finally {
    ended.abort(new HardwareError('no longer waited for'))
    // Whichever is behind ends by itself, and nobody listens any more.
    void Promise.allSettled([told, late])
  }
}

/** Tells the cloud all that the BMC says; drivers that have no more to say than power tell nothing. What can't be read fails nothing:
 * there are BMCs that answer 500 to one of these questions for ever, and their machines deploy nevertheless. */
export async function tellHardware(on: StepContext, bmc: Bmc): Promise<void> {
  if (!bmc.more?.readHardware) return
  const read_at = on.clock.now().toISOString()
  try {
    const { bios = [], ...facts } = await bmc.more.readHardware()
    on.read({ read_at, ...facts })
    for (const part of parts(bios)) on.read({ read_at, bios: part })
  } catch (error) {
    on.signal.throwIfAborted()
    if (!(error instanceof HardwareError)) throw error
    on.note(`settings and versions can't be read: ${sentence(error)}`)
  }
}

async function reread(on: StepContext, sections: (keyof HardwareFacts)[]): Promise<void> {
  const facts: Partial<HardwareFacts> = await (await have(on, 'readHardware'))()
  const wanted = Object.fromEntries(sections.map((section) => [section, facts[section]]))
  on.read({ read_at: on.clock.now().toISOString(), ...wanted })
}

export function parts(settings: BiosSetting[]): BiosSetting[][] {
  const made: BiosSetting[][] = []
  let room = 0
  for (const setting of settings) {
    const bytes = Buffer.byteLength(JSON.stringify(setting)) + 1
    if (bytes > room) {
      made.push([])
      room = PART_BYTES
    }
    made.at(-1)!.push(setting)
    room -= bytes
  }
  return made
}
