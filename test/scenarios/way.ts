import type { ProvisionState } from '../../contract/provision.ts'

/** Ways through the provision states as the history tells them. */
export function way(...states: ProvisionState[]): string[] {
  return states.slice(1).map((to, index) => `Provision state: ${states[index]} to ${to}.`)
}

export const toManageable = ['enroll', 'verifying', 'manageable'] as const
/** The steps that wait for the agent follow each other. */
export const cleaned = ['cleaning', 'clean wait', 'cleaning', 'available'] as const
export const deployed = ['deploying', 'wait call-back', 'deploying', 'active'] as const
