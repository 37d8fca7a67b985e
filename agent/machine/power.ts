import { writeFile } from 'node:fs/promises'
import type { Clock } from '../clock.ts'
import { reason, type Log } from '../log.ts'
import { startLoaded } from '../kexec/load.ts'
import { run } from '../programs.ts'

/** The command's result must have time to be fetched. */
const grace = 2000

/** Ends the machine by the kernel itself, for the ramdisk has no services that would want to be asked first. */
export async function endMachine(how: 'off' | 'reboot', clock: Clock, log: Log): Promise<void> {
  await clock.sleep(grace)
  log.info('power', { now: how })
  try {
    // Documentation/admin-guide/sysrq.rst: o shuts off, b reboots at once.
    await writeFile('/proc/sysrq-trigger', how === 'off' ? 'o' : 'b')
    await clock.sleep(10_000)
  } catch (error) {
    log.warn('sysrq failed', { because: reason(error) })
  }
  await run(how === 'off' ? 'poweroff' : 'reboot', ['-f'], 60).catch((error: unknown) => {
    log.error('the machine stays on', { because: reason(error) })
  })
}

/** The machine stays as it is where that fails: who asked sees that the agent is still there. */
export async function startByKexec(clock: Clock, log: Log): Promise<void> {
  await clock.sleep(grace)
  log.info('power', { now: 'kexec' })
  await run('sync', [], 60)
  try {
    startLoaded()
  } catch (error) {
    log.error('no kexec', { because: reason(error) })
  }
}
