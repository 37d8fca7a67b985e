import { z } from 'zod'
import type { NodeParam } from '../../contract/agent.ts'
import { CONTAINER, container } from '../../contract/container.ts'
import type { BootcInstall } from '../containers/bootc.ts'
import { CommandFailure } from '../failure.ts'

const asked = z.looseObject({
  image_source: z.string().max(2048),
  configdrive: z.string().nullish(),
  instance_info: z
    .looseObject({
      bootc_authorized_keys: z.string().max(65_536).nullish(),
      bootc_tpm2_luks: z.boolean().nullish(),
      kernel_append_params: z.string().max(2048).nullish(),
    })
    .nullish(),
})

/** Ironic's arguments, and what the site has of the container. */
export function bootcInstall(args: unknown, { driver_internal_info: internal }: NodeParam): BootcInstall {
  const parsed = asked.safeParse(args)
  if (!parsed.success) throw refused(z.prettifyError(parsed.error))
  const { image_source: image, configdrive, instance_info: info } = parsed.data
  const given = internal?.[CONTAINER]
  if (given === undefined) throw refused(`${image}: this agent has containers from its site alone, which gives none`)
  const found = container.safeParse(given)
  if (!found.success) throw refused(`what the site says of ${image}: ${z.prettifyError(found.error)}`)
  return {
    container: found.data,
    configdrive: configdrive ?? undefined,
    authorizedKeys: info?.bootc_authorized_keys ?? undefined,
    tpm2Luks: info?.bootc_tpm2_luks ?? false,
    kernelArguments: (info?.kernel_append_params ?? '').split(/\s+/).filter((word) => word !== ''),
  }
}

function refused(why: string): CommandFailure {
  return new CommandFailure('InvalidCommandParamsError', `execute_bootc_install: ${why}`, { code: 400 })
}
