import { requireMore } from '../../drivers/bmc.ts'
import type { StepContext, StepRunner } from '../step.ts'
import { isFake, pause } from './fake.ts'
import { tellHardware } from './management.ts'
import { awaitMachine, rest, restartMachine } from './restart.ts'

/** One component after the other, each to its end. The BMC restarts itself with its own; the others count from the machine's next start. */
export const updateFirmware: StepRunner<'firmware.update'> = async ({ settings }, on) => {
  if (isFake(on, 'firmware')) return pause(on, 'firmware')
  await updateAll(
    on,
    settings.map(({ component, url }) => ({ component, url, name: component, restarts: component !== 'bmc' })),
  )
}

/** Ironic's older one, of `management`: the BMC sees by each image what it is for. */
export const updateFirmwareImages: StepRunner<'management.update_firmware'> = async ({ firmware_images: images }, on) =>
  updateAll(
    on,
    images.map((image, index) => ({ ...image, component: null, name: `image ${index + 1}`, restarts: true })),
  )

interface Update {
  component: string | null
  /** For people: URLs may be keys. */
  name: string
  url: string
  checksum?: string
  /** Seconds that the BMC is left alone afterwards. */
  wait?: number | undefined
  /** The machine's next start is what it counts from. */
  restarts: boolean
}

async function updateAll(on: StepContext, updates: readonly Update[]): Promise<void> {
  const bmc = await on.bmc()
  const update = requireMore(bmc, on.plan.machine.driver, 'updateFirmware')
  for (const [index, { component, name, url, checksum, wait = 0, restarts }] of updates.entries()) {
    if (on.memo.get(`updated ${index}`) === undefined) {
      on.note(`updating the firmware of ${name}`)
      const progress = (percent: number): void =>
        on.note(`updating the firmware of ${name}`, ((index + percent / 100) / updates.length) * 100)
      await update(component, url, progress, checksum)
      on.memo.set(`updated ${index}`, 'yes')
    }
    await on.clock.sleep(wait * 1000, on.signal)
    if (restarts) await restartMachine(on, bmc, `restarted ${index}`)
    on.note(`waiting for the BMC after the update of ${name}`)
    const answers = async (): Promise<boolean> => (await bmc.power()) !== undefined
    await awaitMachine(on, answers, `the BMC does not answer after the update of ${name}`)
  }
  await rest(on, bmc)
  await tellHardware(on, bmc)
}
