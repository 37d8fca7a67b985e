/** Microversions (Ironic's, 2026.2). A field, resource or verb exists for a request from the minor on that is named here. */

export const MINIMUM = 1
export const MAXIMUM = 115
export const versionText = (minor: number): string => `1.${minor}`

export const versionHeaders = {
  version: 'x-openstack-ironic-api-version',
  minimum: 'x-openstack-ironic-api-minimum-version',
  maximum: 'x-openstack-ironic-api-maximum-version',
  /** The form that all of OpenStack shares: `baremetal 1.N`. */
  generic: 'openstack-api-version',
} as const

/** The minor that a request is served at, or undefined where it asks for one that we lack. No header means the oldest. */
export function negotiate(own: string | undefined, generic: string | undefined): number | undefined {
  const asked = own ?? forBaremetal(generic)
  if (asked === undefined) return MINIMUM
  const text = asked.trim().toLowerCase()
  if (text === 'latest') return MAXIMUM
  const minor = /^1\.(\d{1,4})$/.exec(text)?.[1]
  if (minor === undefined) return undefined
  return Number(minor) >= MINIMUM && Number(minor) <= MAXIMUM ? Number(minor) : undefined
}

function forBaremetal(header: string | undefined): string | undefined {
  const ours = header
    ?.split(',')
    .map((each) => each.trim())
    .find((each) => /^baremetal\s/i.test(each))
  return ours?.split(/\s+/)[1]
}

export function exists(table: Readonly<Record<string, number>>, name: string, minor: number): boolean {
  return minor >= (table[name] ?? MINIMUM)
}
