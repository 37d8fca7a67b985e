import type { StepName } from '../../../contract/plan.ts'
import type { StepRunner } from '../step.ts'
import { cleanUpRamdisk, prepareInstance, prepareRamdisk, setBootDevice } from './boot.ts'
import {
  bootInstance,
  eraseDevicesMetadata,
  prepareInstanceBoot,
  startAgent,
  tearDownAgent,
  writeImage,
} from './deploy.ts'
import { powerOff, powerOn, setPowerState, validate } from './power.ts'

/** Every step that contract/plan.ts names; a forgotten one does not compile. */
export const steps: { [N in StepName]: StepRunner<N> } = {
  'power.validate': validate,
  'power.power_on': powerOn,
  'power.power_off': powerOff,
  'power.set_power_state': setPowerState,
  'management.set_boot_device': setBootDevice,
  'boot.prepare_ramdisk': prepareRamdisk,
  'boot.clean_up_ramdisk': cleanUpRamdisk,
  'boot.prepare_instance': prepareInstance,
  'deploy.start_agent': startAgent,
  'deploy.write_image': writeImage,
  'deploy.prepare_instance_boot': prepareInstanceBoot,
  'deploy.tear_down_agent': tearDownAgent,
  'deploy.boot_instance': bootInstance,
  'deploy.erase_devices_metadata': eraseDevicesMetadata,
}
