import type { Report } from '../../contract/messages.ts'
import type { Node } from '../../contract/resources.ts'
import { isSealed } from '../../contract/seal.ts'

/** Who wrote a secret of driver_info last. A site that gave a BMC a new password tells of it once, and nobody else knows it: its report
 * counts however late it comes, also after its plan ended, but never undoes what was written after it. Pure. */

type Secret = Pick<Extract<Report, { kind: 'secret' }>, 'key' | 'value' | 'generation' | 'at'>
/** `at` null: people wrote it, after all that this generation did. */
type Written = Record<string, { generation: number; at: string | null }>

const writtenOf = ({ driver_internal_info }: Node): Written =>
  (driver_internal_info['secrets_written'] as Written | undefined) ?? {}

const withWritten = (node: Node, more: Written): Node => ({
  ...node,
  driver_internal_info: { ...node.driver_internal_info, secrets_written: { ...writtenOf(node), ...more } },
})

/** The node with the new secret; undefined: a newer one is known, or it is none of this node's. */
export function rotated(node: Node, { key, value, generation, at }: Secret): Node | undefined {
  if (generation > node.generation || !isSealed(node.driver_info[key])) return undefined
  const last = writtenOf(node)[key]
  const isNewer =
    last === undefined ||
    generation > last.generation ||
    (generation === last.generation && last.at !== null && at > last.at)
  if (!isNewer) return undefined
  return withWritten({ ...node, driver_info: { ...node.driver_info, [key]: value } }, { [key]: { generation, at } })
}

/** People gave secrets of their own, which no rotation of before undoes. */
export function overruled(before: Node, after: Node): Node {
  const given = Object.keys(after.driver_info).filter(
    (key) => isSealed(after.driver_info[key]) && after.driver_info[key] !== before.driver_info[key],
  )
  if (given.length === 0 || before.generation === 0) return after
  return withWritten(after, Object.fromEntries(given.map((key) => [key, { generation: before.generation, at: null }])))
}
