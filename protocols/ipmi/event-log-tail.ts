import type { IpmiSession } from './client.ts'
import { completionCodes } from './completion-code.ts'
import { CommandFailed } from './error.ts'
import { type LogEntry, readLogEntry } from './event-log.ts'
import { FIRST_RECORD, getSelEntry, getSelInfo, LAST_RECORD } from './event-log-commands.ts'

/** How far somebody has read an event log. */
export interface LogMark {
  entries: number
  lastAddition: number
  lastErase: number
  /** The last entry read, byte for byte; undefined: the log was empty. */
  last?: { id: number; hex: string } | undefined
}

export interface LogTail {
  mark: LogMark
  entries: LogEntry[]
  /** Somebody has emptied it since. */
  erased: boolean
}

const WHOLE = 0xff
/** A log holds some thousands, and ids of 16 bits. */
const MOST_FOLLOWED = 0xffff

/** What was logged behind a mark, at most `most` entries: the rest comes with the next reading. Without a mark nothing is read but
 * where the end is. A log without news costs one command. */
export async function readLogTail(session: IpmiSession, mark: LogMark | undefined, most: number): Promise<LogTail> {
  const { entries: kept, lastAddition, lastErase } = await session.send(getSelInfo, undefined)
  const now = { entries: kept, lastAddition, lastErase }
  if (mark === undefined) return { mark: { ...now, last: await newest(session, kept) }, entries: [], erased: false }
  // Clocks of BMCs jump, so that the number counts as well as the times.
  if (mark.entries === kept && mark.lastAddition === lastAddition && mark.lastErase === lastErase)
    return { mark, entries: [], erased: false }
  const known = kept === 0 || mark.last === undefined ? undefined : await at(session, mark.last.id)
  const resumes = known !== undefined && known.hex === mark.last?.hex
  const erased = !resumes && mark.last !== undefined
  // A log that overwrites its oldest entries has gone round since: what it has now is not all news.
  if (erased && lastErase === mark.lastErase && kept >= mark.entries && kept > 0)
    return { mark: { ...now, last: await newest(session, kept) }, entries: [], erased: false }
  const tail = kept === 0 ? [] : await follow(session, resumes ? known.next : FIRST_RECORD, most)
  const last = tail.at(-1)
  const left = last !== undefined && last.next !== LAST_RECORD
  return {
    // Unread entries leave the mark unlike what the BMC tells, so that the next reading goes on.
    mark: {
      ...now,
      entries: left ? -1 : kept,
      last: last ?? (resumes ? mark.last : undefined),
    },
    entries: tail.map(({ entry }) => entry),
    erased,
  }
}

interface Found {
  id: number
  hex: string
  next: number
  entry: LogEntry
}

async function newest(session: IpmiSession, kept: number): Promise<LogMark['last']> {
  if (kept === 0) return undefined
  const found = await at(session, LAST_RECORD)
  return found && { id: found.id, hex: found.hex }
}

async function follow(session: IpmiSession, first: number, most: number): Promise<Found[]> {
  const found: Found[] = []
  for (let id = first; id !== LAST_RECORD && found.length < Math.min(most, MOST_FOLLOWED);) {
    const each = await at(session, id)
    if (each === undefined) break
    found.push(each)
    id = each.next
  }
  return found
}

/** Undefined: there is no such entry (any more). */
async function at(session: IpmiSession, record: number): Promise<Found | undefined> {
  try {
    const request = { reservation: 0, record, offset: 0, count: WHOLE }
    const { next, data } = await session.send(getSelEntry, request)
    const entry = readLogEntry(data)
    return { id: entry.id, hex: Buffer.from(data).toString('hex'), next, entry }
  } catch (error) {
    if (error instanceof CommandFailed && error.completionCode === completionCodes.notPresent) return undefined
    throw error
  }
}
