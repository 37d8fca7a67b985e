import type { Indicator } from './hardware-facts.ts'

/** What a management interface offers beside boot devices, by Ironic's names for it: the API refuses the rest without asking a site. */

const all = [
  'inject_nmi',
  'set_boot_mode',
  'set_secure_boot_state',
  'get_supported_indicators',
  'get_indicator_state',
  'set_indicator_state',
  'get_virtual_media',
  'attach_virtual_media',
  'detach_virtual_media',
  'get_sensors',
] as const
export type ManagementVerb = (typeof all)[number]

const byInterface: Readonly<Record<string, readonly ManagementVerb[]>> = {
  ipmitool: ['inject_nmi', 'get_sensors'],
  'intel-ipmitool': ['inject_nmi', 'get_sensors'],
  redfish: all,
  'idrac-redfish': all,
  fake: ['get_supported_indicators', 'get_indicator_state'],
}

export function offers(managementInterface: string | null, verb: ManagementVerb): boolean {
  if (managementInterface === null || !Object.hasOwn(byInterface, managementInterface)) return false
  return byInterface[managementInterface]!.includes(verb)
}

/** Of fake hardware, which has nothing that could light up. */
export const fakeIndicators: readonly Indicator[] = [
  { component: 'chassis', name: 'led-0', readonly: true, states: ['off', 'on'], state: 'on' },
  { component: 'system', name: 'led', readonly: false, states: ['blinking', 'off', 'on'], state: 'on' },
]
