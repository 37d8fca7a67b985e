import { UserError } from '../../contract/api/faults.ts'
import type { Node } from '../../contract/resources.ts'

/** Of network interface `neutron` a switch's ports are moved by the plans that start a machine or end what it runs, and by nothing else: who changed
 * the networks of one that runs would be told of VLANs that no switch has. */
export function requireSwitchAtRest(
  { uuid, network_interface: name, provision_state: state }: Node,
  what: string,
): void {
  if (name !== 'neutron' || (state !== 'active' && state !== 'rescue')) return
  throw new UserError(
    409,
    `${what} can't be changed while node ${uuid} runs: its switch gets its VLANs when its instance starts, by network interface neutron.`,
  )
}
