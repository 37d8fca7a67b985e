import type { Node } from '../../contract/resources.ts'

type Named = Pick<Node, 'instance_info' | 'instance_name'>

const DISPLAY_NAME = 'display_name'

/** `instance_name` and instance_info's display_name are one name (reference §1.5): whichever is changed changes the other; of both, the
 * first counts. */
export function sameName<T extends Named>(before: Named, after: T): T {
  const { [DISPLAY_NAME]: shown, ...rest } = after.instance_info
  if (after.instance_name !== before.instance_name) {
    const name = after.instance_name
    return { ...after, instance_info: name === null ? rest : { ...rest, [DISPLAY_NAME]: name } }
  }
  if (shown === before.instance_info[DISPLAY_NAME]) return after
  return { ...after, instance_name: typeof shown === 'string' && shown !== '' ? shown.slice(0, 255) : null }
}
