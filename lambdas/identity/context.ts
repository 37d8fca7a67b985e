import type { Context, Hono } from 'hono'
import type { Platform } from '../platform.ts'
import type { IdentityConfig } from './config.ts'
import type { Session } from './session.ts'

/** What the middleware finds out about a request before its resource sees it. */
export interface Facts {
  Variables: {
    /** Scheme and host before /identity. */
    base: string
    /** Of the X-Auth-Token header; undefined: it has none that is good. */
    session: Session | undefined
  }
}
export type Identity = Hono<Facts>
export type Call = Context<Facts>
/** What identity's functions stand on. */
export type Ground = Pick<Platform, 'table' | 'clock' | 'ids' | 'log'> & { config: IdentityConfig }

/** Keystone's form of an instant: microseconds, and Z. */
export function stamp(at: number | string): string {
  return `${new Date(at).toISOString().slice(0, -1)}000Z`
}

/** A new id in Keystone's form. */
export function newId({ ids }: Pick<Platform, 'ids'>): string {
  return ids.uuid().replaceAll('-', '')
}
