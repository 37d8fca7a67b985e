import { HardwareError } from '../../hardware-error.ts'
import type { StepRunner } from '../step.ts'
import { hostname, setBootOf } from './boot.ts'
import { bootsFromMedia } from './media-boot.ts'

/** From here on the machine asks its site at every start, which has iPXE hook its volumes in: what it boots from is one, or its own disk. */
export const prepareInstanceVolume: StepRunner<'boot.prepare_instance_volume'> = async (_args, on) => {
  const { node, generation, machine } = on.plan
  const { boot_volume: volume, data_volumes: dataVolumes = [] } = machine
  if (!volume && dataVolumes.length === 0) throw new HardwareError('the plan does not say which volumes there are')
  if (bootsFromMedia(on)) throw new HardwareError('volumes are hooked in by iPXE: give the node boot interface ipxe')
  if (on.machines.boot(node)?.secureBoot)
    throw new HardwareError("volumes are hooked in by iPXE, which Secure Boot doesn't start: switch one of the two off")
  const instance = { cmdline: '', ...(volume && { volume }), dataVolumes }
  on.agents.wipe(node)
  on.machines.setBoot(node, generation, { mode: 'instance', instance, hostname: hostname(on) })
  await setBootOf(on, 'pxe', true)
}
