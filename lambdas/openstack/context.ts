import type { Context, Hono } from 'hono'
import type { Caller } from '../../contract/identity.ts'
import type { Platform } from '../platform.ts'

/** What OpenStack's other services find out about a request before its resource sees it. */
export interface Facts {
  Variables: {
    requestId: string
    /** Scheme and host before the service's own path. */
    base: string
    caller: Caller
    /** Of the service's microversions; 0 where it has none. */
    minor: number
  }
}
export type Service = Hono<Facts>
export type Call = Context<Facts>
export type Ground = Platform

/** In whose name something is made. */
export interface Owned {
  project_id: string
}
