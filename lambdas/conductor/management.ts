import { z } from 'zod'
import { type StepName, stepNames } from '../../contract/step-arguments.ts'
import { jsonObject, type Node } from '../../contract/resources.ts'

/** What a person asks of a BMC beside power and boot device. It waits in driver_internal_info to be planned, and leaves with its end. */

const KEY = 'management_request'

export const managementRequest = z.object({
  step: z.custom<StepName>((name) => stepNames.includes(name as StepName)),
  args: jsonObject,
})
export type ManagementRequest = z.infer<typeof managementRequest>

export function withManagement(internal: Node['driver_internal_info'], request: ManagementRequest) {
  return { ...internal, [KEY]: request }
}

export function managementAsked(node: Node): ManagementRequest | undefined {
  return managementRequest.safeParse(node.driver_internal_info[KEY]).data
}

export function withoutManagement(internal: Node['driver_internal_info']): Node['driver_internal_info'] {
  if (!(KEY in internal)) return internal
  const { [KEY]: _ended, ...rest } = internal
  return rest
}
