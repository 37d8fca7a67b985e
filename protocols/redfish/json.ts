/** What a BMC sends is read through these: every field may be absent, null or of another type than the schema says. */
export type JsonObject = { readonly [key: string]: unknown }

/** Longer texts than any schema means are cut, so that no answer floods a log or a table. */
const LONGEST_TEXT = 4096

export function objectOf(value: unknown): JsonObject | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined
}

/** The value at the end of a path of keys. */
export function valueAt(from: unknown, ...keys: readonly string[]): unknown {
  let value = from
  for (const key of keys) {
    const parent = objectOf(value)
    if (!parent || !Object.hasOwn(parent, key)) return undefined
    value = parent[key]
  }
  return value
}

export function objectAt(from: unknown, ...keys: readonly string[]): JsonObject | undefined {
  return objectOf(valueAt(from, ...keys))
}

export function textAt(from: unknown, ...keys: readonly string[]): string | undefined {
  const value = valueAt(from, ...keys)
  return typeof value === 'string' && value !== '' ? value.slice(0, LONGEST_TEXT) : undefined
}

export function numberAt(from: unknown, ...keys: readonly string[]): number | undefined {
  const value = valueAt(from, ...keys)
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined
}

export function booleanAt(from: unknown, ...keys: readonly string[]): boolean | undefined {
  const value = valueAt(from, ...keys)
  return typeof value === 'boolean' ? value : undefined
}

export function listAt(from: unknown, ...keys: readonly string[]): readonly unknown[] {
  const value = valueAt(from, ...keys)
  return Array.isArray(value) ? value : []
}

export function textsAt(from: unknown, ...keys: readonly string[]): string[] {
  return listAt(from, ...keys).filter((each): each is string => typeof each === 'string')
}

/** DSP0266 §8.4: a link is an object whose `@odata.id` is the path of what it refers to. */
export function linkAt(from: unknown, ...keys: readonly string[]): string | undefined {
  return textAt(from, ...keys, '@odata.id')
}

export function linksAt(from: unknown, ...keys: readonly string[]): string[] {
  return listAt(from, ...keys).flatMap((each) => linkAt(each) ?? [])
}
