import type { Node } from '../../contract/resources.ts'

/** Whether a change of a node is news to the server on it: in what its next step depends on. */
export function isNewsToServer(was: Node | undefined, is: Node | undefined): boolean {
  if ((was?.instance_uuid ?? null) === null && (is?.instance_uuid ?? null) === null) return false
  if (!was || !is) return true
  return (
    was.provision_state !== is.provision_state ||
    was.power_state !== is.power_state ||
    was.target_power_state !== is.target_power_state ||
    (was.power_operation === null) !== (is.power_operation === null) ||
    was.instance_uuid !== is.instance_uuid
  )
}
