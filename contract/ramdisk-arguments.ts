import { UserError } from './api/faults.ts'

const KEY = 'kernel_append_params'
/** Of Linux on arm64 (COMMAND_LINE_SIZE), the least there is, less what the site adds. */
const MOST = 1500

/** Whether every boot loader passes it on as it is: iPXE, GRUB and U-Boot each take others of these signs for their own. */
export function isPassedOn(text: string): boolean {
  return /^[\x20-\x7e]*$/.test(text) && !/[$'"\\]|(^|\s)(\|\||&&)(\s|$)/.test(text)
}

/** driver_info/kernel_append_params, which takes the place of what the site's operator has for all; `%default%` in it stands for that.
 * Undefined: there is none. */
export function ramdiskArguments(driverInfo: Record<string, unknown>): string | undefined {
  const given = driverInfo[KEY]
  if (given === undefined || given === null || given === '') return undefined
  if (typeof given !== 'string' || given.length > MOST || !isPassedOn(given))
    throw new UserError(
      400,
      `driver_info/${KEY} can't be told to every boot loader: at most ${MOST} characters of printable ASCII, without $ ' " \\, || and &&.`,
    )
  return given
}
