/** How a route of the API is written down: method, path, what is asked and what comes back. contract/api/routes.ts is the table of them
 * all, from which the client's functions are made. */

export type Query = Record<string, string | number | boolean | undefined>
export type Json = Record<string, unknown>

export interface Asked {
  query?: Query
  body?: unknown
}

export interface Route<Path extends string, Arguments extends unknown[], Reply> {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  path: Path
  /** From the function's arguments, behind those that the path names. */
  ask: (...args: Arguments) => Asked
  /** Only for its type: replies are those of our own server. */
  reply: (value: never) => Reply
  /** The key of a list whose pages the function reads one after the other. */
  pages?: string
}
export type AnyRoute = Route<string, never[], unknown>

/** One text for each `:name` of a path. */
type Named<Path extends string> = Path extends `${string}/:${infer Rest}`
  ? Rest extends `${string}/${infer More}`
    ? [ident: string, ...Named<`/${More}`>]
    : [ident: string]
  : []

export type FunctionOf<R> =
  R extends Route<infer Path, infer Arguments, infer Reply>
    ? (...args: [...Named<Path>, ...Arguments]) => Promise<Reply>
    : never

/** What comes back, by its type: `of<NodeView>`. */
export function of<T>(value: T): T {
  return value
}

const asQuery = (query?: Query): Asked => ({ query })
const asBody = (body: Json, query?: Query): Asked => ({ body, query })

type Simple<P extends string, T> = Route<P, [query?: Query], T>

export function get<P extends string, T>(path: P, reply: (value: never) => T): Simple<P, T> {
  return { method: 'GET', path, ask: asQuery, reply }
}

/** All pages of a collection; `always` is asked for in any case. */
export function list<P extends string, T>(
  path: P,
  pages: string,
  _each: (value: never) => T,
  always: Query = {},
): Route<P, [query?: Query], T[]> {
  return { method: 'GET', path, pages, ask: (query) => ({ query: { ...always, ...query } }), reply: of<T[]> }
}

export function remove<P extends string>(path: P): Simple<P, void> {
  return { method: 'DELETE', path, ask: asQuery, reply: of<void> }
}

export function post<P extends string, T>(
  path: P,
  reply: (value: never) => T,
): Route<P, [body: Json, query?: Query], T> {
  return { method: 'POST', path, ask: asBody, reply }
}

export function put<P extends string>(path: P): Route<P, [body: Json, query?: Query], void> {
  return { method: 'PUT', path, ask: asBody, reply: of<void> }
}

/** Where a body is made of more telling arguments, or there is none. */
export function send<P extends string, A extends unknown[], T>(
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
  path: P,
  ask: (...args: A) => Asked,
  reply: (value: never) => T,
): Route<P, A, T> {
  return { method, path, ask, reply }
}
