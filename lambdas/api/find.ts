import { PathError, UserError } from '../../contract/api/faults.ts'
import type { Node } from '../../contract/resources.ts'
import type { Platform } from '../platform.ts'
import { findNode } from '../store/nodes.ts'

/** The node of a path; before 1.91 clients append `.json` at will. */
export async function nodeOf({ table }: Pick<Platform, 'table'>, ident: string, minor: number): Promise<Node> {
  if (!isUuid(ident) && !NAME.test(ident))
    throw new PathError(400, `Expected UUID or name for node: ${ident.slice(0, 255)}`)
  if (minor < NAMES && !isUuid(ident)) throw noNode(ident)
  const found =
    (await findNode(table, ident)) ??
    (minor < 91 && ident.endsWith('.json') ? await findNode(table, ident.slice(0, -'.json'.length)) : undefined)
  if (!found) throw noNode(ident)
  return found
}

const NAMES = 5
const NAME = /^[A-Za-z0-9\-._~]+$/
const UUID = /^[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}$/i

export const isUuid = (text: string): boolean => UUID.test(text)

/** Refuses what is neither a uuid nor, where things have names, can be one. */
export function requireIdent(ident: string, argument: string, hasName = true): void {
  if (!isUuid(ident) && !(hasName && NAME.test(ident)))
    throw new UserError(400, `Expected UUID${hasName ? ' or name' : ''} for ${argument}: ${ident.slice(0, 255)}`)
}

export function noNode(ident: string): UserError {
  return new UserError(404, `Node ${ident} could not be found.`)
}
