import type { Webhook } from '../../contract/webhook.ts'
import { ConflictError, type Item, type Platform } from '../platform.ts'
import { items } from '../store/paging.ts'
import {
  deliveriesOf,
  getMark,
  markRemoval,
  markWrite,
  standingKey,
  standingOf,
  type Standing,
  type Waiting,
  webhookStore,
} from '../store/webhooks.ts'
import { DISABLE_SECONDS, later } from './backoff.ts'
import { disable } from './disable.ts'
import { type Outcome, settle } from './outcome.ts'
import { type Answer, SEND_MS } from './post.ts'
import type { SecretBox } from './secret-box.ts'
import { type Message, messageOf } from './signature.ts'

/** Delivers what waits for one webhook: events of a node one after the other, those of different nodes side by side. */

export interface Courier extends Pick<Platform, 'table' | 'clock' | 'ids' | 'log'> {
  box: SecretBox
  send: (url: string, message: Message) => Promise<Answer>
  /** In [0, 1). */
  random: () => number
  /** Where there is only one for each webhook, it has the same name in all its lives, and goes on where it was killed at once. */
  name?: string
}

/** A courier that died holds up its webhook for this long at most. */
const HOLD_SECONDS = 30
/** Longer than one round can take. */
const ROUND_SECONDS = SEND_MS / 1000 + 5
const SIDE_BY_SIDE = 8
/** How far to look for events of more nodes; and for any at all, where many wait for one before them. */
const PAGE = 200
const LOOK = 2000

/** When somebody must look again; undefined: when there is something new. */
export type Next = Date | undefined

/** Goes on until nothing can be delivered for now, or `until` has come. Whoever comes second leaves it to the first. */
export async function deliver(courier: Courier, webhook: string, until: Date): Promise<Next> {
  const holder = courier.name ?? courier.ids.uuid()
  for (;;) {
    const found = await look(courier, webhook)
    if (!found) return undefined
    const { hook, standing } = found
    const now = courier.clock.now()
    const heldUntil = new Date(standing.held_until ?? 0)
    if (standing.holder !== null && standing.holder !== holder && heldUntil > now) return heldUntil
    const { ready, next } = await readyOf(courier, hook, standing)
    if (ready.length === 0 || now >= until) {
      const again = ready.length === 0 ? next : now
      if (await release(courier, found, again)) return again
    } else {
      const held = await hold(courier, found, holder)
      if (held) await round(courier, held, ready)
    }
  }
}

interface Found {
  hook: Webhook
  mark: Item
  standing: Standing
  /** As it is stored. */
  item: Item | undefined
}

async function look({ table }: Courier, webhook: string): Promise<Found | undefined> {
  const hook = await webhookStore.get(table, webhook)
  const mark = await getMark(table, webhook)
  if (!hook || !mark) return undefined
  const item = await table.get(standingKey(webhook))
  return { hook, mark, item, standing: standingOf(item, hook) }
}

/** The first event of each node, of those whose time has come; and when else the next one's will. A receiver that has just failed
 * gets one at a time, to see whether it is back. */
async function readyOf(
  { table, clock }: Courier,
  { uuid, enabled }: Webhook,
  { failures, resting_until: resting }: Standing,
): Promise<{ ready: Waiting[]; next: Next }> {
  const now = clock.now().toISOString()
  if (!enabled) return { ready: [], next: undefined }
  if (resting !== null && resting > now) return { ready: [], next: new Date(resting) }
  const most = failures > 0 ? 1 : SIDE_BY_SIDE
  const seen = new Set<string>()
  const ready: Waiting[] = []
  let next: string | undefined
  let looked = 0
  for await (const { value } of items(table, deliveriesOf(uuid))) {
    const waiting = value as Waiting
    const subject = waiting.event.node ?? uuid
    if (!seen.has(subject)) {
      seen.add(subject)
      if (waiting.next_at <= now) ready.push(waiting)
      else if (next === undefined || waiting.next_at < next) next = waiting.next_at
    }
    looked += 1
    if (ready.length === most || looked === (ready.length > 0 ? PAGE : LOOK)) break
  }
  return { ready, next: next === undefined ? undefined : new Date(next) }
}

/** Makes sure that nobody else delivers until this round has ended. Undefined: another one took it. */
async function hold({ table, clock }: Courier, found: Found, holder: string): Promise<Held | undefined> {
  const { hook, item: before, standing } = found
  const now = clock.now()
  if (before && standing.holder === holder && (standing.held_until ?? '') > later(now, ROUND_SECONDS))
    return { hook, item: before, standing }
  const held: Standing = { ...standing, holder, held_until: later(now, HOLD_SECONDS) }
  const item: Item = { ...standingKey(hook.uuid), version: (before?.version ?? 0) + 1, value: held }
  try {
    await table.write([{ put: item, expect: before?.version ?? 'absent' }])
    return { hook, item, standing: held }
  } catch (error) {
    if (error instanceof ConflictError) return undefined
    throw error
  }
}

interface Held {
  hook: Webhook
  item: Item
  standing: Standing
}

async function round(courier: Courier, { hook, item, standing }: Held, ready: Waiting[]): Promise<void> {
  const { table, clock, random, log } = courier
  const secret = secretOf(courier, hook)
  const attempt = async (waiting: Waiting): Promise<Outcome> => ({
    waiting,
    answer: secret === undefined ? unreadable : await courier.send(hook.url, messageOf(waiting, secret, clock.now())),
  })
  const outcomes = await Promise.all(ready.map(attempt))
  const after = settle(hook.uuid, standing, outcomes, clock.now(), random)
  const put: Item = { ...item, version: item.version + 1, value: after.standing }
  try {
    await table.write([{ put, expect: item.version }, ...after.writes])
  } catch (error) {
    // It was deleted meanwhile, or this took so long that another took over. What was taken may be sent again.
    if (error instanceof ConflictError) return
    throw error
  }
  const { failing_since: since, last_error: why } = after.standing
  if (since === null) return
  log.warn({ webhook: hook.uuid, name: hook.name, since, why }, 'receiver failed')
  const tooLong = clock.now().getTime() - Date.parse(since) >= DISABLE_SECONDS * 1000
  if (after.gone) await disable(courier, hook, 'The receiver answered 410: it is gone for good.')
  else if (tooLong)
    await disable(courier, hook, `The receiver has taken nothing since ${since}. Its last answer: ${why}`)
}

const unreadable: Answer = {
  taken: false,
  why: "the cloud's key for webhooks has changed, so that the secret can't be read: give the webhook its secret anew",
}

function secretOf({ box, log }: Courier, { uuid, name, secret }: Webhook): string | undefined {
  try {
    return box.open(secret, uuid)
  } catch (error) {
    log.error({ webhook: uuid, name, error: String(error) }, 'secret not readable')
    return undefined
  }
}

/** Leaves it until then. False: something came meanwhile. */
async function release({ table }: Courier, { hook, mark, item, standing }: Found, next: Next): Promise<boolean> {
  const freed: Standing = { ...standing, holder: null, held_until: null }
  const put = item && { ...item, version: item.version + 1, value: freed }
  try {
    await table.write([
      next ? markWrite(hook.uuid, mark, next.toISOString()) : markRemoval(mark),
      ...(put ? [{ put, expect: item.version }] : []),
    ])
    return true
  } catch (error) {
    if (error instanceof ConflictError) return false
    throw error
  }
}
