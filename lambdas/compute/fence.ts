import { UserError } from '../../contract/api/faults.ts'
import type { Server } from '../../contract/compute.ts'
import type { Node } from '../../contract/resources.ts'
import { ConflictError, type Key, keyOf, type Platform, type Write } from '../platform.ts'
import { nodeKey } from '../store/nodes.ts'
import { serverStore } from './store.ts'

/** A platform for one step of a server's way. Whatever is written by it, whoever writes, is written on condition that the server, and its node where
 * that is changed, are as the step has seen them: a process that was overtaken, however late it comes, claims and gives back nothing. */
export interface Fence {
  platform: Platform
  /** Somebody else has changed the server or its node: what the step came to means nothing. */
  isOvertaken(): boolean
}

export function fenced(platform: Platform, server: Server, node: Node | undefined): Fence {
  const serverKey = serverStore.key(server.uuid)
  const seen = new Map([[textOf(serverKey), server.version]])
  if (node) seen.set(textOf(nodeKey(node.uuid)), node.version)
  let overtaken = false
  const refuse = (): UserError => {
    overtaken = true
    return new UserError(409, `Server ${server.uuid} or its node was changed by somebody else meanwhile.`)
  }
  const write = async (writes: Write[]): Promise<void> => {
    const known = (each: Write): number | undefined => seen.get(textOf(keyOf(each)))
    const isAsSeen = (each: Write): boolean => 'check' in each || (known(each) ?? each.expect) === each.expect
    if (!writes.every(isAsSeen)) throw refuse()
    const isOwn = writes.some((each) => textOf(keyOf(each)) === textOf(serverKey))
    const expect = seen.get(textOf(serverKey))
    const check: Write[] = isOwn || expect === undefined ? [] : [{ check: serverKey, expect }]
    try {
      await platform.table.write([...writes, ...check])
    } catch (error) {
      throw error instanceof ConflictError && error.index === writes.length ? refuse() : error
    }
    for (const each of writes)
      if ('put' in each && known(each) !== undefined) seen.set(textOf(each.put), each.put.version)
  }
  const { table } = platform
  const briefs = table.briefs?.bind(table)
  return {
    platform: {
      ...platform,
      table: {
        get: (key) => table.get(key),
        query: (query) => table.query(query),
        ...(briefs ? { briefs } : {}),
        write,
      },
    },
    isOvertaken: () => overtaken,
  }
}

const textOf = ({ pk, sk }: Key): string => `${pk}\0${sk}`
