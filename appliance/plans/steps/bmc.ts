import { readRawBytes } from '../../../contract/step-arguments.ts'
import { type Bmc, type BmcManagement, requireMore } from '../../drivers/bmc.ts'
import { HardwareError } from '../../hardware-error.ts'
import type { StepContext, StepRunner } from '../step.ts'
import { tellHardware } from './management.ts'
import { awaitMachine } from './restart.ts'

/** A restarting BMC may answer for some seconds yet. */
const GOING_MS = 20_000

export const resetBmc: StepRunner<'management.reset_bmc'> = (_args, on) => restart(on, (bmc) => bmc('resetBmc')())

export const resetBmcOverIpmi: StepRunner<'vendor.bmc_reset'> = ({ warm }, on) =>
  restart(on, (bmc) => bmc('resetBmc')(warm ? 'warm' : 'cold'))

export const resetIdrac: StepRunner<'management.reset_idrac'> = (_args, on) => restart(on, (bmc) => bmc('resetIdrac')())

/** What the BMC answers may be anything, so nobody is told but how long it is. After a crash it may be sent twice. */
export const sendRaw: StepRunner<'vendor.send_raw'> = async ({ raw_bytes: text }, on) => {
  on.note('sending raw bytes')
  const send = requireMore(await on.bmc(), on.plan.machine.driver, 'sendRaw')
  const { length } = await send(readRawBytes(text))
  on.note(`the BMC answered ${length} bytes`)
}

/** Intel's own command: network function 0x2c, command 0x41, for each processor. */
export const configureSpeedSelect: StepRunner<'management.configure_intel_speedselect'> = async (
  { intel_speedselect_config: level, socket_count: sockets },
  on,
) => {
  on.note('setting Intel Speed Select')
  const send = requireMore(await on.bmc(), on.plan.machine.driver, 'sendRaw')
  for (let socket = 0; socket < sockets; socket += 1) await send([0x2c, 0x41, 0x04, 0x00, socket, Number(level)])
}

export const clearEventLog: StepRunner<'management.clear_event_log'> = async (_args, on) => {
  on.note('clearing the event log')
  const clear = requireMore(await on.bmc(), on.plan.machine.driver, 'clearEventLog')
  await clear()
}

export const clearJobQueue: StepRunner<'management.clear_job_queue'> = (_args, on) => clearJobs(on, false)

export const knownGoodState: StepRunner<'management.known_good_state'> = async (_args, on) => {
  await restart(on, (bmc) => bmc('resetIdrac')())
  await clearJobs(on, true)
}

async function clearJobs(on: StepContext, force: boolean): Promise<void> {
  on.note('clearing the job queue')
  await requireMore(await on.bmc(), on.plan.machine.driver, 'clearJobQueue')(force)
}

type Have = <K extends keyof BmcManagement>(part: K) => BmcManagement[K]

async function restart(on: StepContext, begin: (have: Have) => Promise<void>): Promise<void> {
  const bmc = await on.bmc()
  if (on.memo.get('reset') === undefined) {
    on.note('restarting the BMC')
    await begin((part) => requireMore(bmc, on.plan.machine.driver, part))
    on.memo.set('reset', 'yes')
  }
  on.note('waiting for the BMC')
  await on.clock.sleep(GOING_MS, on.signal)
  await awaitMachine(on, async () => (await bmc.power()) !== undefined, 'the BMC does not answer after its restart')
}

/** By the appliance's clock, unless told otherwise. */
export const setBmcClock: StepRunner<'management.set_bmc_clock'> = async (
  { target_datetime: at, datetime_local_offset: offset },
  on,
) => {
  on.note("setting the BMC's clock")
  const set = requireMore(await on.bmc(), on.plan.machine.driver, 'setClock')
  await set(
    at ??
      on.clock
        .now()
        .toISOString()
        .replace(/\.\d+Z$/, '+00:00'),
    offset,
  )
}

/** BMCs tell whole seconds, and take them. */
const CLOCK_SECONDS = 2

/** One that is wrong by more is set, and looked at again (reference §4.5). */
export const verifyBmcClock: StepRunner<'management.verify_bmc_clock'> = async (_args, on) => {
  on.note("comparing the BMC's clock with the site's")
  const bmc = await on.bmc()
  if ((await secondsOff(on, bmc)) <= CLOCK_SECONDS) return
  on.note("setting the BMC's clock")
  const now = new Date(Math.round(on.clock.now().getTime() / 1000) * 1000)
  await requireMore(bmc, on.plan.machine.driver, 'setClock')(now.toISOString().replace('.000Z', '+00:00'))
  const still = await secondsOff(on, bmc)
  if (still > CLOCK_SECONDS)
    throw new HardwareError(
      `the BMC's clock is wrong by ${still} s after it was set: look for NTP servers that it has from elsewhere`,
    )
}

/** Of any moment while it was asked. */
async function secondsOff(on: StepContext, bmc: Bmc): Promise<number> {
  const before = on.clock.now().getTime()
  const told = await requireMore(bmc, on.plan.machine.driver, 'readClock')()
  const after = on.clock.now().getTime()
  const at = Date.parse(told ?? '')
  if (Number.isNaN(at)) throw new HardwareError('the BMC does not tell its time: switch enable_verify_bmc_clock off')
  return Math.round(Math.max(0, before - at, at - after) / 1000)
}

export const resetSecureBootKeys: StepRunner<'management.reset_secure_boot_keys_to_default'> = (_args, on) =>
  keys(on, 'default')

export const clearSecureBootKeys: StepRunner<'management.clear_secure_boot_keys'> = (_args, on) => keys(on, 'none')

async function keys(on: StepContext, to: 'default' | 'none'): Promise<void> {
  on.note(to === 'default' ? "resetting Secure Boot's keys" : "deleting Secure Boot's keys")
  const bmc = await on.bmc()
  await requireMore(bmc, on.plan.machine.driver, 'resetSecureBootKeys')(to)
  await tellHardware(on, bmc)
}
