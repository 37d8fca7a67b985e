import { actionAt } from './action.ts'
import type { Redfish } from './client.ts'
import { members } from './collection.ts'
import { NotOffered } from './error.ts'
import { linkAt, textAt } from './json.ts'
import { managersOf, readSystem, type System } from './system.ts'

export interface LogEntry {
  id: string
  at: string | undefined
  severity: string | undefined
  text: string
}

export interface LogBook {
  path: string
  id: string
}

/** The logs of a system and of its managers. */
export async function listLogs(bmc: Redfish, system: System): Promise<LogBook[]> {
  const operation = 'list logs'
  const resource = await readSystem(bmc, system, operation)
  const bodies = [resource.body]
  for (const path of await managersOf(bmc, resource, operation)) bodies.push((await bmc.get(path, operation)).body)
  const books: LogBook[] = []
  for (const body of bodies) {
    const collection = linkAt(body, 'LogServices')
    const found = collection === undefined ? [] : await members(bmc, collection, operation)
    books.push(...found.map((each) => ({ path: each.path, id: textAt(each.body, 'Id') ?? each.path })))
  }
  return books
}

export async function readLog(bmc: Redfish, book: LogBook): Promise<LogEntry[]> {
  const operation = `read log ${book.id}`
  const entries = linkAt((await bmc.get(book.path, operation)).body, 'Entries')
  const found = entries === undefined ? [] : await members(bmc, entries, operation)
  return found.map(({ path, body }) => ({
    id: textAt(body, 'Id') ?? path,
    at: textAt(body, 'Created'),
    severity: textAt(body, 'Severity'),
    text: textAt(body, 'Message') ?? textAt(body, 'MessageId') ?? '',
  }))
}

export async function clearLog(bmc: Redfish, book: LogBook): Promise<void> {
  const operation = `clear log ${book.id}`
  const action = actionAt(await bmc.get(book.path, operation), '#LogService.ClearLog')
  if (!action) throw new NotOffered(bmc.subject(operation), 'this log of the BMC cannot be cleared')
  await bmc.send({ method: 'POST', path: action.target, body: {} }, { operation })
}
