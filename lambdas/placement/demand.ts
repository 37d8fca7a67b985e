import { UserError } from '../../contract/api/faults.ts'
import type { Node } from '../../contract/resources.ts'
import { isFree } from '../store/free-nodes.ts'
import { classesOf } from './provider.ts'

/** What a query wants of providers: `resources=CUSTOM_X:1`, `required=A,!B` or `required=in:A,B`, `member_of`, `in_tree`. Pure. */
export interface Demand {
  resources: Record<string, number>
  /** Of each of these at least one. */
  required: string[][]
  forbidden: string[]
  /** Uuids of aggregates: of each of these at least one, and of the others none. */
  memberOf: string[][]
  notMemberOf: string[]
  tree: string | undefined
}

const NAME = /^[A-Z0-9_]{1,255}$/

export function demandOf(query: Record<string, string[]>): Demand {
  const known = ['resources', 'required', 'member_of', 'in_tree', 'limit', 'group_policy', 'name', 'uuid']
  const strange = Object.keys(query).find((each) => !known.includes(each))
  if (strange !== undefined)
    throw new UserError(400, `Invalid query string parameters: ${strange.slice(0, 64)} is not understood.`)
  const [required, forbidden] = parted(query['required'] ?? [], NAME)
  const [memberOf, notMemberOf] = parted(query['member_of'] ?? [], /^[0-9a-fA-F-]{36}$/, true)
  const resources = Object.fromEntries(
    (query['resources'] ?? [])
      .flatMap((text) => text.split(','))
      .map((each): [string, number] => {
        const [, name, count] = /^([A-Z0-9_]{1,255}):([1-9]\d{0,8})$/.exec(each) ?? []
        if (name === undefined)
          throw new UserError(
            400,
            `Badly formed resources parameter: '${each.slice(0, 64)}' is not of the form CLASS:AMOUNT.`,
          )
        return [name, Number(count)]
      }),
  )
  return { resources, required, forbidden, memberOf, notMemberOf, tree: query['in_tree']?.[0] }
}

function parted(texts: string[], form: RegExp, single = false): [string[][], string[]] {
  const [wanted, unwanted]: [string[][], string[]] = [[], []]
  const named = (text: string): string => {
    if (!form.test(text))
      throw new UserError(400, `Invalid query string parameters: '${text.slice(0, 64)}' is no name.`)
    return text
  }
  for (const text of texts) {
    if (text.startsWith('in:')) wanted.push(text.slice(3).split(',').map(named))
    else if (text.startsWith('!in:')) unwanted.push(...text.slice(4).split(',').map(named))
    else
      for (const each of single ? [text] : text.split(','))
        if (each.startsWith('!')) unwanted.push(named(each.slice(1)))
        else wanted.push([named(each)])
  }
  return [wanted, unwanted]
}

/** `aggregates`: those that the node is in. */
export function meets(node: Node, demand: Demand, aggregates: readonly string[]): boolean {
  const own = classesOf(node)
  const wanted = Object.entries(demand.resources)
  return (
    (wanted.length === 0 || (isFree(node) && wanted.every(([name, count]) => own.includes(name) && count === 1))) &&
    demand.required.every((some) => some.some((each) => node.traits.includes(each))) &&
    !demand.forbidden.some((each) => node.traits.includes(each)) &&
    demand.memberOf.every((some) => some.some((each) => aggregates.includes(each))) &&
    !demand.notMemberOf.some((each) => aggregates.includes(each)) &&
    (demand.tree === undefined || demand.tree === node.uuid)
  )
}
