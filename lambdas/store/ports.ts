import { UserError } from '../../contract/api/faults.ts'
import type { Port } from '../../contract/resources.ts'
import { ConflictError, type Item, type Key, type Table, type Write } from '../platform.ts'
import { nodeKey } from './nodes.ts'
import { all, list, type Listed } from './paging.ts'

/** So that a node and all its ports can go in one transaction. */
export const PORTS_PER_NODE = 40

export const portKey = (uuid: string): Key => ({ pk: `port#${uuid}`, sk: 'port' })
export const macKey = (address: string): Key => ({ pk: `mac#${address}`, sk: 'mac' })

export function portItem(port: Port): Item {
  const sk = `${port.created_at}#${port.uuid}`
  return {
    ...portKey(port.uuid),
    version: port.version,
    value: port,
    by: { all: { pk: 'ports', sk }, node: { pk: `ports-of#${port.node_uuid}`, sk } },
  }
}

export async function getPort(table: Table, uuid: string): Promise<Port | undefined> {
  return (await table.get(portKey(uuid)))?.value as Port | undefined
}

export async function portOfMac(table: Table, address: string): Promise<Port | undefined> {
  const pointer = (await table.get(macKey(address)))?.value as { port: string } | undefined
  return pointer && getPort(table, pointer.port)
}

export function portsOf(table: Table, node: string): Promise<Port[]> {
  return all<Port>(table, { index: 'node', pk: `ports-of#${node}` })
}

export function listPorts(
  table: Table,
  page: { node?: string; limit: number; after?: Port; descending?: boolean; keep?: (port: Port) => boolean },
): Promise<Listed<Port>> {
  return list<Port>(table, {
    ...(page.node === undefined ? { index: 'all', pk: 'ports' } : { index: 'node', pk: `ports-of#${page.node}` }),
    limit: page.limit,
    descending: page.descending,
    after: page.after && portItem(page.after),
    keep: page.keep,
  })
}

/** New (`before` undefined) or changed. The MAC stays unique; the node must exist. False: somebody changed it meanwhile. */
export async function savePort(table: Table, before: Port | undefined, after: Port): Promise<boolean> {
  const moved = before?.address !== after.address
  const writes: Write[] = [
    { put: portItem(after), expect: before?.version ?? 'absent' },
    { check: nodeKey(after.node_uuid), expect: 'present' },
    ...(moved
      ? [{ put: { ...macKey(after.address), version: 1, value: { port: after.uuid } }, expect: 'absent' as const }]
      : []),
    ...(moved && before ? [{ delete: macKey(before.address) }] : []),
  ]
  try {
    await table.write(writes)
    return true
  } catch (error) {
    if (!(error instanceof ConflictError)) throw error
    if (error.index === 0 && before) return false
    throw new UserError(...conflicts(error.index, after))
  }
}

function conflicts(index: number, port: Port): [number, string] {
  if (index === 0) return [409, `A port with UUID ${port.uuid} already exists.`]
  if (index === 1) return [400, `Node ${port.node_uuid} could not be found.`]
  return [409, `A port with MAC address ${port.address} already exists.`]
}

export async function deletePort(table: Table, port: Port): Promise<void> {
  await table.write([{ delete: portKey(port.uuid) }, { delete: macKey(port.address) }])
}
