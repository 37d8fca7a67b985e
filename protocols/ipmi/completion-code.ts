/** IPMI 2.0 table 5-2, with the one that §28.12 adds for boot options. */
export const completionCodes = {
  ok: 0x00,
  parameterNotSupported: 0x80,
  nodeBusy: 0xc0,
  invalidCommand: 0xc1,
  invalidForLun: 0xc2,
  timeout: 0xc3,
  outOfSpace: 0xc4,
  reservationLost: 0xc5,
  invalidLength: 0xc7,
  outOfRange: 0xc9,
  notPresent: 0xcb,
  invalidData: 0xcc,
  illegalForSensor: 0xcd,
  initializing: 0xd2,
  insufficientPrivilege: 0xd4,
  notInPresentState: 0xd5,
  unspecified: 0xff,
} as const

const texts: Record<number, string> = {
  0xc0: 'node busy',
  0xc1: 'invalid or unsupported command',
  0xc2: 'command invalid for the LUN',
  0xc3: 'timeout while processing the command',
  0xc4: 'out of space',
  0xc5: 'reservation cancelled or invalid',
  0xc6: 'request data truncated',
  0xc7: 'request data length invalid',
  0xc8: 'request data field length limit exceeded',
  0xc9: 'parameter out of range',
  0xca: "can't return that many data bytes",
  0xcb: 'sensor, data or record not present',
  0xcc: 'invalid data field in request',
  0xcd: 'command illegal for this sensor or record',
  0xce: 'response could not be provided',
  0xcf: "can't execute a duplicated request",
  0xd0: 'SDR repository in update mode',
  0xd1: 'device in firmware update mode',
  0xd2: 'BMC initialization in progress',
  0xd3: 'destination unavailable',
  0xd4: 'insufficient privilege',
  0xd5: 'command or parameter not supported in present state',
  0xd6: 'sub-function disabled or unavailable',
  0xff: 'unspecified error',
}

/** The BMC is well, only not now: asking again later may succeed. */
const transient: ReadonlySet<number> = new Set([
  completionCodes.nodeBusy,
  completionCodes.timeout,
  completionCodes.outOfSpace,
  completionCodes.initializing,
])

export function completionText(code: number): string {
  const known = texts[code]
  if (known) return known
  if (code >= 0x01 && code <= 0x7e) return "a vendor's own code"
  if (code >= 0x80 && code <= 0xbe) return "a code of this command's own"
  return 'reserved code'
}

export function completionRemedy(code: number): string {
  if (isTransient(code)) return 'try again, and restart the BMC if it stays so'
  switch (code) {
    case completionCodes.invalidCommand:
      return 'this BMC does not have it, or only with newer firmware'
    case completionCodes.insufficientPrivilege:
      return 'raise the privilege of this user on the BMC, or ask for a higher one'
    case completionCodes.notInPresentState:
      return 'look at the state of the machine, and try again'
    default:
      return "see the BMC's manual, or update its firmware"
  }
}

export function isTransient(code: number): boolean {
  return transient.has(code)
}
