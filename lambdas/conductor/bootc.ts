import { z } from 'zod'
import { UserError } from '../../contract/api/faults.ts'
import { boolean } from '../../contract/stored.ts'
import type { bootcInstall, WantedImage } from '../../contract/plan-sources.ts'
import type { RemoteImage } from '../../contract/images/remote.ts'
import { argumentsOf } from './instance-ramdisk.ts'

/** How a container that boots is installed. */
export interface Bootc extends z.infer<typeof bootcInstall> {
  image: RemoteImage
}

const asked = z.object({
  bootc_authorized_keys: z
    .string('are lines of an authorized_keys file')
    .max(65_536, 'are at most 65536 characters')
    .regex(/^[\x20-\x7e\n]*$/, 'are lines of printable ASCII')
    .nullish(),
  bootc_tpm2_luks: boolean.nullish(),
})

export function isInRegistry(image: WantedImage): image is RemoteImage {
  return 'place' in image && image.place.kind === 'oci'
}

/** What instance_info says of it, where the deploy interface is `bootc` (reference §4.4). UserError says what is missing or not possible. */
export function bootcOf(image: WantedImage, info: Record<string, unknown>): Bootc {
  if (!isInRegistry(image))
    throw new UserError(
      400,
      `image_source ${image.name}: deploy interface bootc installs a container, oci://HOST/NAME:TAG; an image of a disk is written by deploy interface direct.`,
    )
  const { success, data, error } = asked.safeParse(info)
  if (!success) {
    const [issue] = error.issues
    throw new UserError(400, `instance_info/${issue?.path.join('/')}: ${issue?.message}.`)
  }
  return {
    image,
    ...(data.bootc_authorized_keys && { authorized_keys: data.bootc_authorized_keys }),
    ...(data.bootc_tpm2_luks && { tpm2_luks: true }),
    kernel_arguments: argumentsOf(info),
  }
}
