import { actionAt } from './action.ts'
import type { Redfish } from './client.ts'
import { members } from './collection.ts'
import { NotOffered, RedfishError } from './error.ts'
import { linkAt, textAt, textsAt } from './json.ts'
import { type Meaning, MessageRegistries } from './message-registry.ts'
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

/** Entries without words of their own are told in those of the BMC's registry. */
export async function readLog(bmc: Redfish, book: LogBook): Promise<LogEntry[]> {
  const operation = `read log ${book.id}`
  const registries = new MessageRegistries(bmc)
  const entries = linkAt((await bmc.get(book.path, operation)).body, 'Entries')
  const found = entries === undefined ? [] : await members(bmc, entries, operation)
  const told: LogEntry[] = []
  for (const { path, body } of found) {
    const [text, messageId] = [textAt(body, 'Message'), textAt(body, 'MessageId')]
    const meaning =
      text === undefined && messageId !== undefined
        ? await meaningOf(registries, messageId, textsAt(body, 'MessageArgs'))
        : undefined
    told.push({
      id: textAt(body, 'Id') ?? path,
      at: textAt(body, 'Created'),
      severity: textAt(body, 'Severity') ?? meaning?.severity,
      text: text ?? meaning?.text ?? messageId ?? '',
    })
  }
  return told
}

/** A registry that can't be read keeps no log from being told. */
async function meaningOf(registries: MessageRegistries, id: string, args: string[]): Promise<Meaning | undefined> {
  try {
    return await registries.meaning(id, args)
  } catch (error) {
    if (error instanceof RedfishError) return undefined
    throw error
  }
}

export async function clearLog(bmc: Redfish, book: LogBook): Promise<void> {
  const operation = `clear log ${book.id}`
  const action = actionAt(await bmc.get(book.path, operation), '#LogService.ClearLog')
  if (!action) throw new NotOffered(bmc.subject(operation), 'this log of the BMC cannot be cleared')
  await bmc.send({ method: 'POST', path: action.target, body: {} }, { operation })
}
