import { type Plan, stepName } from '../../contract/plan.ts'
import type { Appliance } from '../../contract/resources.ts'

/** Plans by which a site makes a new secret say who of the site has to be able to open it. */
export function withSealingKeys(plan: Plan, site: readonly Appliance[]): Plan {
  if (!plan.steps.some((step) => stepName(step) === 'management.rotate_bmc_password')) return plan
  const sealing_keys = site.slice(0, 64).map(({ uuid, sealing_key }) => ({ appliance: uuid, key: sealing_key }))
  return { ...plan, machine: { ...plan.machine, sealing_keys } }
}
