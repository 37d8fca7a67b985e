/** What the agents' door says that it speaks: as the cloud's API. */
export const MINIMUM = '1.1'
export const MAXIMUM = '1.115'
const NEWEST = 115

/** Lookup and heartbeat are this old (reference §1.1.1). */
export const RAMDISK_ROUTES = 22

/** The microversion in which each field of a heartbeat appeared. */
const heartbeatFields: Readonly<Record<string, number>> = {
  agent_version: 36,
  agent_token: 62,
  agent_verify_ca: 68,
  agent_status: 72,
  agent_status_message: 72,
}

/** The minor version that a request speaks; without the header the oldest. Undefined: none that is spoken here (reference §1.2). */
export function minorOf(header: string | undefined): number | undefined {
  if (header === undefined) return 1
  if (header === 'latest') return NEWEST
  const minor = Number(/^1\.([1-9]\d{0,3})$/.exec(header)?.[1])
  return minor <= NEWEST ? minor : undefined
}

/** A field that the version of its request doesn't have yet. */
export function tooNew(heartbeat: Readonly<Record<string, unknown>>, minor: number): string | undefined {
  return Object.keys(heartbeatFields).find((field) => {
    const given = heartbeat[field]
    return given !== undefined && given !== null && minor < (heartbeatFields[field] ?? 0)
  })
}
