import { UserError } from '../../contract/api/faults.ts'
import type { InstallerArguments } from '../../contract/plan-sources.ts'
import { argumentsOf, fileOf, isGiven, urlOf } from './instance-ramdisk.ts'

type Info = Record<string, unknown>

/** What instance_info says of an installation by Anaconda (reference §5.2): its kernel and ramdisk, where the rest of it is, and what it
 * installs. UserError says what is missing or not possible. */
export function installer(info: Info, bootInterface: string | null): Omit<InstallerArguments, 'config_drive'> {
  if (bootInterface?.endsWith('virtual-media') || bootInterface === 'redfish-https')
    throw new UserError(
      400,
      `Boot interface ${bootInterface} boots a medium, and an installer boots by kernel and ramdisk: use a boot interface of the network, such as ipxe.`,
    )
  const repo = isGiven(info['image_source']) ? treeOf(info) : undefined
  const live = isGiven(info['liveimg_url']) ? plainUrl(info, 'liveimg_url') : undefined
  const hasStage2 = isGiven(info['stage2'])
  const hasTemplate = isGiven(info['ks_template'])
  const files = {
    kernel: fileOf(info, 'kernel'),
    ramdisk: fileOf(info, 'ramdisk'),
    ...(hasStage2 && { stage2: fileOf(info, 'stage2') }),
  }
  if (!hasStage2 && repo === undefined)
    throw new UserError(
      400,
      "instance_info lacks stage2, an http(s) URL of the installer's second stage, or image_source, that of an installation tree which has one.",
    )
  if (!hasTemplate && repo === undefined && live === undefined)
    throw new UserError(
      400,
      'instance_info lacks what is to be installed: image_source, an http(s) URL of an installation tree, liveimg_url, that of a live image, or a ks_template that says it.',
    )
  return {
    files,
    template: hasTemplate ? fileOf(info, 'ks_template') : null,
    ...(repo !== undefined && { repo_url: repo }),
    ...(live !== undefined && { liveimg_url: live }),
    cmdline: argumentsOf(info),
  }
}

function treeOf(info: Info): string {
  const { image_source: source } = info
  if (typeof source === 'string' && /^https?:\/\//i.test(source)) return plainUrl(info, 'image_source')
  throw new UserError(
    400,
    `image_source ${JSON.stringify(source)}: an installer takes an http(s) URL of an installation tree; an image of a disk is written by deploy interface direct.`,
  )
}

/** It stands in a command line and in a kickstart, which take some signs for their own. */
function plainUrl(info: Info, key: string): string {
  const url = urlOf(info, key)
  if (!/[\s$'"\\@]/.test(url)) return url
  throw new UserError(400, `instance_info/${key} has a space or one of $ ' " \\ @ in it: write it percent-encoded.`)
}
