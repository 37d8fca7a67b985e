import type { Plan } from '../contract/plan.ts'
import { ramdiskArguments } from '../contract/ramdisk-arguments.ts'

export interface RamdiskSettings {
  doorUrl: string
  /** What the operator of the site has for every kernel. */
  kernelArguments: string
}

/** What the ramdisk's kernel is told. One that is to inspect its machine is told where to post what it finds. What the site itself has to
 * say comes last, and counts. */
export function ramdiskCommandLine(
  { doorUrl, kernelArguments }: RamdiskSettings,
  kind: Plan['kind'],
  driverInfo: Record<string, unknown> = {},
): string {
  const post = kind === 'inspect' ? ` ipa-inspection-callback-url=${doorUrl}/v1/continue_inspection` : ''
  const more = ramdiskArguments(driverInfo)?.replaceAll('%default%', kernelArguments) ?? kernelArguments
  return `${more} ipa-insecure=1${post} ipa-api-url=${doorUrl}`.trim()
}
