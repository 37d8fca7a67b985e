import { UserError } from '../../contract/api/faults.ts'
import type { Node } from '../../contract/resources.ts'

/** What Ironic says where a driver's interface doesn't have what is asked of it. */
export function lacking({ driver }: Pick<Node, 'driver'>, extension: string): UserError {
  return new UserError(400, `Driver ${driver} does not support ${extension} (disabled or not implemented).`)
}
