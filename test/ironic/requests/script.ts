import type { Ask, Wait } from '../exchange.ts'

/** Words that the script is written in. Reads are asked for in several versions, changes in the newest that both speak. */
export const NEWEST = 82
const READ_AT = [1, 31, 72, NEWEST]

export type Step = Ask | Wait

export const get = (path: string, minors: number[] = READ_AT): Step[] =>
  minors.map((minor) => ({ method: 'GET', path, minor }))
export const post = (path: string, body?: unknown, minor = NEWEST): Step => ({ method: 'POST', path, body, minor })
export const put = (path: string, body?: unknown, minor = NEWEST): Step => ({ method: 'PUT', path, body, minor })
export const patch = (path: string, body: unknown, minor = NEWEST): Step => ({ method: 'PATCH', path, body, minor })
export const remove = (path: string, minor = NEWEST): Step => ({ method: 'DELETE', path, minor })
export const settled = (node: string): Step => ({ settled: node })

export const add = (path: string, value: unknown) => ({ op: 'add', path, value })
export const replace = (path: string, value: unknown) => ({ op: 'replace', path, value })
export const drop = (path: string) => ({ op: 'remove', path })

/** One that nothing has. */
export const NOBODY = '00000000-0000-4000-8000-000000000000'
/** The same on both sides, so that replies can be compared whole. */
export const id = (kind: number, number: number): string =>
  `${String(kind).padStart(8, '0')}-1111-4111-8111-${String(number).padStart(12, '0')}`
