import type { JsonObject } from '../json.ts'

export interface Call {
  /** Parts of the path that the route names. */
  readonly at: Readonly<Record<string, string>>
  readonly body: JsonObject
  readonly user: string
  readonly headers: Readonly<Record<string, unknown>>
  /** As it came, for routes that take something else than JSON. */
  readonly bytes: Uint8Array
}

export interface Result {
  status: number
  headers?: Readonly<Record<string, string>>
  body?: JsonObject
  /** An answer without an end: begins to send, and returns how to stop. */
  stream?(this: void, send: (text: string) => void): () => void
}

/** One resource, with what can be done to it. `@odata.id` and ETags are added for all. */
export interface Route {
  readonly path: string
  /** Needs no credentials. */
  readonly open?: readonly string[]
  /** Takes bytes of any type. */
  readonly raw?: true
  /** In place of `get`'s answer, where it has no end. */
  stream?(this: void, call: Call): Result
  get?(this: void, call: Call): JsonObject | Promise<JsonObject>
  /** Of a GET's answer, where it is not 200. */
  status?(this: void, call: Call): number
  patch?(this: void, call: Call): unknown
  post?(this: void, call: Call): Result | Promise<Result>
  delete?(this: void, call: Call): Result | Promise<Result>
}

export const done: Result = { status: 204 }

export function ref(path: string): JsonObject {
  return { '@odata.id': path }
}

export function collection(type: string, name: string, paths: readonly string[]): JsonObject {
  return {
    '@odata.type': `#${type}.${type}`,
    Name: name,
    Description: name,
    'Members@odata.count': paths.length,
    Members: paths.map(ref),
  }
}
