import { fitting } from '../../agents/inventory-size.ts'
import { requireMore } from '../../drivers/bmc.ts'
import type { StepContext, StepRunner } from '../step.ts'
import { isFake, pause } from './fake.ts'
import { tellHardware } from './management.ts'

/** In-band (reference §3.11): what the ramdisk has posted by itself; one that posts nothing is asked. */
export const inspectHardware: StepRunner<'inspect.inspect_hardware'> = async (_args, on) => {
  if (isFake(on, 'inspect')) return pause(on, 'inspect')
  if (on.plan.machine.interfaces['inspect']?.endsWith('redfish')) return byBmc(on)
  on.note('reading the inventory')
  const posted = on.posted()
  if (posted) on.found(posted.inventory, posted.plugin_data)
  else on.found(fitting(await on.agents.call(on, 'poll.get_hardware_info', {})))
}

/** Out of band: the machine is not touched. */
async function byBmc(on: StepContext): Promise<void> {
  on.note('asking the BMC what the machine is made of')
  const bmc = await on.bmc()
  on.found(fitting(await requireMore(bmc, on.plan.machine.driver, 'inspect')()))
  await tellHardware(on, bmc)
}
