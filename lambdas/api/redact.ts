import type { Caller } from '../../contract/identity.ts'
import { allowed, type Belonging } from '../../contract/policy.ts'

/** Attributes that tell of the infrastructure, which who only leases a node does not get to see; with the texts of Ironic's. */
const guarded = {
  last_error: '** Value Redacted - Requires baremetal:node:get:last_error permission. **',
  reservation: '** Redacted - requires baremetal:node:get:reservation permission. **',
  driver_internal_info: {
    content: '** Redacted - Requires baremetal:node:get:driver_internal_info permission. **',
  },
  driver_info: { content: '** Redacted - requires baremetal:node:get:driver_info permission. **' },
} as const

export function redacted(view: Record<string, unknown>, caller: Caller, node: Belonging): Record<string, unknown> {
  if (allowed('baremetal:node:get:filter_threshold', caller)) return view
  const shown = { ...view }
  for (const [field, text] of Object.entries(guarded)) {
    const rule = `baremetal:node:get:${field as keyof typeof guarded}` as const
    if (field in shown && !allowed(rule, caller, node)) shown[field] = text
  }
  return shown
}
