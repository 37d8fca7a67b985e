import { HardwareError } from '../../hardware-error.ts'
import type { StepRunner } from '../step.ts'
import { hostname, setBootOf } from './boot.ts'
import { bootsFromMedia } from './media-boot.ts'

/** From here on the machine is told to boot from its volume, at every start until it is torn down. */
export const prepareInstanceVolume: StepRunner<'boot.prepare_instance_volume'> = async (_args, on) => {
  const { node, generation, machine } = on.plan
  const volume = machine.boot_volume
  if (!volume) throw new HardwareError('the plan does not say which volume to boot from')
  if (bootsFromMedia(on)) throw new HardwareError('a volume is booted by iPXE: give the node boot interface ipxe')
  if (on.machines.boot(node)?.secureBoot)
    throw new HardwareError("a volume is booted by iPXE, which Secure Boot doesn't start: switch one of the two off")
  on.agents.wipe(node)
  on.machines.setBoot(node, generation, { mode: 'instance', instance: { cmdline: '', volume }, hostname: hostname(on) })
  await setBootOf(on, 'pxe', true)
}
