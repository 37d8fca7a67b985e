import { fitting } from '../../agents/inventory-size.ts'
import type { StepRunner } from '../step.ts'
import { isFake, pause } from './fake.ts'

/** In-band (reference §3.11): what the ramdisk has posted by itself; one that posts nothing is asked. */
export const inspectHardware: StepRunner<'inspect.inspect_hardware'> = async (_args, on) => {
  if (isFake(on, 'inspect')) return pause(on, 'inspect')
  on.note('reading the inventory')
  const posted = on.posted()
  if (posted) on.found(posted.inventory, posted.plugin_data)
  else on.found(fitting(await on.agents.call(on, 'poll.get_hardware_info', {})))
}
