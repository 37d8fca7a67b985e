import { CONTAINER } from '../../../contract/container.ts'
import type { StepRunner } from '../step.ts'

/** The site fetches what the container consists of; the agent runs the container's own bootc. Arguments are Ironic's, so that an agent that
 * doesn't know of our cache asks the registry by itself. */
export const executeBootcInstall: StepRunner<'deploy.execute_bootc_install'> = async (wanted, on) => {
  const { image, config_drive: drive, authorized_keys, tpm2_luks, kernel_arguments } = wanted
  const transfer = {
    commandOf: on.plan.id,
    signal: on.signal,
    trouble: (text: string) => on.note(`waiting for image ${image.name}: ${text}`),
  }
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
