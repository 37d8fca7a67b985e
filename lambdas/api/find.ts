import { UserError } from '../../contract/api/faults.ts'
import type { Node } from '../../contract/resources.ts'
import type { Platform } from '../platform.ts'
import { findNode } from '../store/nodes.ts'

/** The node of a path; before 1.91 clients append `.json` at will. */
export async function nodeOf({ table }: Pick<Platform, 'table'>, ident: string, minor: number): Promise<Node> {
  const found =
    (await findNode(table, ident)) ??
    (minor < 91 && ident.endsWith('.json') ? await findNode(table, ident.slice(0, -'.json'.length)) : undefined)
  if (!found) throw noNode(ident)
  return found
}

export function noNode(ident: string): UserError {
  return new UserError(404, `Node ${ident} could not be found.`)
}
