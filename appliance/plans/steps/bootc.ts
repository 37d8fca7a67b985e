import { CONTAINER } from '../../../contract/container.ts'
import type { RemoteImage } from '../../../contract/images/remote.ts'
import { stepArguments } from '../../../contract/step-arguments.ts'
import { stepName } from '../../../contract/plan.ts'
import type { WantedImage } from '../../../contract/plan-sources.ts'
import type { FetchOptions } from '../../images/images.ts'
import { isRemote } from '../../images/sources/with-remote.ts'
import type { StepContext, StepRunner } from '../step.ts'

/** The site fetches what the container consists of; the agent runs the container's own bootc. Arguments are Ironic's, so that an agent that
 * doesn't know of our cache asks the registry by itself. */
export const executeBootcInstall: StepRunner<'deploy.execute_bootc_install'> = async (wanted, on) => {
  const { image, config_drive: drive, authorized_keys, tpm2_luks, kernel_arguments } = wanted
  const transfer = transferOf(image, on)
  const container = await on.images.container(image, {
    ...transfer,
    progress: (percent) => on.note(`fetching image ${image.name} to the site`, percent / 2),
  })
  const configdrive = drive && (await on.images.configDrive(drive, transfer))
  await on.agents.runStep(on, 'deploy', {
    step: { interface: 'deploy', step: 'execute_bootc_install' },
    args: {
      image_source: image.name,
      instance_info: {
        ...(authorized_keys !== undefined && { bootc_authorized_keys: authorized_keys }),
        ...(tpm2_luks !== undefined && { bootc_tpm2_luks: tpm2_luks }),
        kernel_append_params: kernel_arguments,
      },
      configdrive,
    },
    internal: { [CONTAINER]: container },
    busy: `installing image ${image.name}`,
    percent: (own) => 50 + own / 2,
  })
}

export function transferOf({ name }: WantedImage, on: StepContext): FetchOptions {
  return {
    commandOf: on.plan.id,
    signal: on.signal,
    trouble: (text) => on.note(`waiting for image ${name}: ${text}`),
  }
}

export function isContainer(image: RemoteImage, on: StepContext): Promise<boolean> {
  return on.images.isBootable(image, transferOf(image, on))
}

/** What this plan writes was a container: its own installer has seen to the boot loader. */
export async function wasInstalled(on: StepContext): Promise<boolean> {
  const write = on.plan.steps.find((step) => stepName(step) === 'deploy.write_image')
  const { image, container } = stepArguments['deploy.write_image'].safeParse(write?.args).data ?? {}
  return container !== undefined && image !== undefined && isRemote(image) && isContainer(image, on)
}
