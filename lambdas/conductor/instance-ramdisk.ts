import { UserError } from '../../contract/api/faults.ts'
import { type InstanceFile, instanceFile, type InstanceRamdisk } from '../../contract/plan-sources.ts'
import { isPassedOn } from '../../contract/ramdisk-arguments.ts'

type Info = Record<string, unknown>

/** What instance_info says the machine boots at every start, where the deploy interface is `ramdisk`: kernel and ramdisk, or boot_iso, by
 * http(s) URL. UserError says what is missing or not possible. */
export function instanceRamdisk(info: Info, bootInterface: string | null): InstanceRamdisk {
  if (isGiven(info['configdrive']))
    throw new UserError(400, 'A ramdisk deploy writes no disk, and has no place for instance_info/configdrive.')
  const byMedium = bootInterface?.endsWith('virtual-media') === true
  if (bootInterface === 'redfish-https')
    throw new UserError(
      400,
      'Boot interface redfish-https boots once, and a ramdisk deploy boots at every start: use redfish-virtual-media or ipxe.',
    )
  if (isGiven(info['boot_iso'])) return { files: { boot_iso: fileOf(info, 'boot_iso') }, cmdline: noArguments(info) }
  if (!isGiven(info['kernel']) && !isGiven(info['ramdisk']))
    throw new UserError(400, 'instance_info lacks kernel and ramdisk, or boot_iso: http(s) URLs of what is booted.')
  if (byMedium)
    throw new UserError(
      400,
      `Boot interface ${bootInterface} inserts a boot_iso: for kernel and ramdisk use a boot interface of the network, such as ipxe.`,
    )
  return { files: { kernel: fileOf(info, 'kernel'), ramdisk: fileOf(info, 'ramdisk') }, cmdline: argumentsOf(info) }
}

export const isGiven = (value: unknown): boolean => value !== undefined && value !== null && value !== ''

type FileKey = 'kernel' | 'ramdisk' | 'boot_iso' | 'stage2' | 'ks_template'

export function fileOf(info: Info, key: FileKey): InstanceFile {
  const checksum = info[`${key}_checksum`]
  return { url: urlOf(info, key), digest: isGiven(checksum) ? digestOf(key, checksum) : null }
}

export function urlOf(info: Info, key: string): string {
  const url = info[key]
  if (!isGiven(url)) throw new UserError(400, `instance_info lacks ${key}: an http(s) URL.`)
  if (typeof url !== 'string' || !instanceFile.shape.url.safeParse(url).success)
    throw new UserError(400, `instance_info/${key} is not an http(s) URL of at most 2048 characters.`)
  return url
}

function digestOf(key: string, checksum: unknown): InstanceFile['digest'] {
  const value = typeof checksum === 'string' ? checksum.toLowerCase() : ''
  if (!/^([0-9a-f]{64}|[0-9a-f]{128})$/.test(value))
    throw new UserError(400, `instance_info/${key}_checksum is not a sha256 or sha512 in hexadecimal digits.`)
  return { algorithm: value.length === 64 ? 'sha256' : 'sha512', value }
}

const argumentKeys = ['kernel_append_params', 'ramdisk_kernel_arguments'] as const
/** Of Linux on arm64 (COMMAND_LINE_SIZE), the least there is, less the interface that the site adds. */
const MOST_ARGUMENTS = 2000

/** Ironic's `%default%` stands for what its operator configured for all; here that is nothing. */
export function argumentsOf(info: Info): string {
  const given = argumentKeys.map((key) => info[key]).filter(isGiven)
  const text = given
    .map((each) => (typeof each === 'string' ? each.replaceAll('%default%', '') : '\0'))
    .join(' ')
    .trim()
  if (text.length > MOST_ARGUMENTS || !isPassedOn(text))
    throw new UserError(
      400,
      `instance_info/${argumentKeys.join(' and ')} can't be told to every boot loader: at most ${MOST_ARGUMENTS} characters of printable ASCII, without $ ' " \\, || and &&.`,
    )
  return text
}

function noArguments(info: Info): string {
  const given = argumentKeys.find((key) => isGiven(info[key]))
  if (given !== undefined)
    throw new UserError(
      400,
      `A boot_iso has its kernel arguments in itself: instance_info/${given} has no effect on it.`,
    )
  return ''
}
