import type { JsonObject } from '../json.ts'

export interface Call {
  /** Parts of the path that the route names. */
  readonly at: Readonly<Record<string, string>>
  readonly body: JsonObject
  readonly user: string
}

export interface Result {
  status: number
  headers?: Readonly<Record<string, string>>
  body?: JsonObject
}

/** One resource, with what can be done to it. `@odata.id` and ETags are added for all. */
export interface Route {
  readonly path: string
  /** Needs no credentials. */
  readonly open?: readonly string[]
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
    'Members@odata.count': paths.length,
    Members: paths.map(ref),
  }
}
