/** IPMI 2.0 table 13-15: how a BMC or a console ends a handshake. */
export const statusCodes = {
  ok: 0x00,
  insufficientResources: 0x01,
  invalidSessionId: 0x02,
  invalidAuthentication: 0x04,
  invalidIntegrity: 0x05,
  noMatchingAuthentication: 0x06,
  noMatchingIntegrity: 0x07,
  inactiveSessionId: 0x08,
  invalidRole: 0x09,
  unauthorizedRole: 0x0a,
  insufficientResourcesForRole: 0x0b,
  unauthorizedName: 0x0d,
  invalidIntegrityCheckValue: 0x0f,
  invalidConfidentiality: 0x10,
  noCipherSuiteMatch: 0x11,
} as const

const texts: Record<number, string> = {
  0x01: 'insufficient resources to create a session',
  0x02: 'invalid session ID',
  0x03: 'invalid payload type',
  0x04: 'invalid authentication algorithm',
  0x05: 'invalid integrity algorithm',
  0x06: 'no matching authentication payload',
  0x07: 'no matching integrity payload',
  0x08: 'inactive session ID',
  0x09: 'invalid role',
  0x0a: 'unauthorized role or privilege level requested',
  0x0b: 'insufficient resources to create a session at the requested role',
  0x0c: 'invalid name length',
  0x0d: 'unauthorized name',
  0x0e: 'unauthorized GUID',
  0x0f: 'invalid integrity check value',
  0x10: 'invalid confidentiality algorithm',
  0x11: 'no cipher suite match with the proposed algorithms',
  0x12: 'illegal or unrecognized parameter',
}

const suiteRefusals: ReadonlySet<number> = new Set([
  statusCodes.invalidAuthentication,
  statusCodes.invalidIntegrity,
  statusCodes.noMatchingAuthentication,
  statusCodes.noMatchingIntegrity,
  statusCodes.invalidConfidentiality,
  statusCodes.noCipherSuiteMatch,
])

export function statusRemedy(status: number): string {
  const full = status === statusCodes.insufficientResources || status === statusCodes.insufficientResourcesForRole
  if (full) return 'end other sessions with the BMC, or restart it'
  return 'check user, privilege and cipher suite on the BMC, and restart it if they are right'
}

export function statusText(status: number): string {
  return texts[status] ?? 'reserved status'
}

export function refusesSuite(status: number): boolean {
  return suiteRefusals.has(status)
}
