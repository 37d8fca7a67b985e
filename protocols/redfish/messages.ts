import { listAt, objectAt, objectOf, textAt } from './json.ts'

/** One entry of @Message.ExtendedInfo (DSP0266 §8.6). */
export interface Message {
  /** The registry's key without registry and version: `Base.1.8.PropertyMissing` is `PropertyMissing`. */
  id: string
  text: string
}

const MOST_MESSAGES = 16
const MOST_ARGUMENTS = 8
const LONGEST = 300

/** For BMCs that send a MessageId of the Base registry (DSP8011) without its text. */
const base: Readonly<Record<string, string>> = {
  AccessDenied: 'access to %1 was denied',
  ActionNotSupported: 'the action %1 is not supported',
  ActionParameterMissing: 'the action %1 requires the parameter %2',
  ActionParameterNotSupported: 'the action %2 does not support the parameter %1',
  ActionParameterValueConflict: 'the value %2 of parameter %1 conflicts with the current state',
  InsufficientPrivilege: 'the account has not the privilege for this operation',
  InternalError: 'the BMC failed internally',
  PropertyMissing: 'the property %1 is required',
  PropertyNotWritable: 'the property %1 is read-only',
  PropertyUnknown: 'the property %1 is unknown',
  PropertyValueNotInList: 'the value %1 of property %2 is not one of those allowed',
  ResourceInUse: 'the resource is in use',
  ResourceInStandby: 'the resource is in standby',
  ResourceNotFound: 'there is no %1 named %2',
  ServiceTemporarilyUnavailable: 'the service is busy; it should be asked again in %1 s',
  SessionLimitExceeded: 'all sessions of the BMC are taken',
  Success: 'success',
}

/** Messages of an answer: of an error, of a task, or attached to a resource. */
export function messagesOf(body: unknown): Message[] {
  const error = objectAt(body, 'error')
  const lists = [
    listAt(error, '@Message.ExtendedInfo'),
    listAt(body, '@Message.ExtendedInfo'),
    listAt(body, 'Messages'),
  ]
  const messages = lists
    .flat()
    .slice(0, MOST_MESSAGES)
    .flatMap((entry) => messageOf(entry) ?? [])
  const summary = textAt(error, 'message')
  if (messages.length === 0 && summary !== undefined)
    return [{ id: shortId(textAt(error, 'code') ?? ''), text: plain(summary) }]
  return messages
}

/** What the messages say, in one sentence; empty when they say nothing. */
export function sentenceOf(messages: readonly Message[]): string {
  const said = messages.filter(({ id }) => id !== 'Success').map(({ text }) => text)
  return plain([...new Set(said)].slice(0, 3).join('; '))
}

function messageOf(entry: unknown): Message | undefined {
  if (!objectOf(entry)) return undefined
  const id = shortId(textAt(entry, 'MessageId') ?? '')
  const template = textAt(entry, 'Message') ?? base[id] ?? id
  const values = listAt(entry, 'MessageArgs').slice(0, MOST_ARGUMENTS)
  const text = filled(template, values)
  return text === '' ? undefined : { id, text: plain(text) }
}

/** `%1` and so on give way to the arguments that there are. */
export function filled(template: string, values: readonly unknown[]): string {
  return template.replaceAll(/%(\d)/g, (place, digit: string) => {
    const value = values[Number(digit) - 1]
    return typeof value === 'string' || typeof value === 'number' ? String(value) : place
  })
}

function shortId(id: string): string {
  return id.slice(id.lastIndexOf('.') + 1)
}

/** One line without what a terminal or a log would act on. */
export function plain(text: string, longest = LONGEST): string {
  const line = text
    .replaceAll(/[\p{Cc}\p{Cf}\s]+/gu, ' ')
    .trim()
    .replace(/\.$/, '')
  return line.length > longest ? `${line.slice(0, longest)}…` : line
}
