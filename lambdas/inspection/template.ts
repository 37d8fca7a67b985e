/** Texts with replacement fields, as Python's str.format reads them: `{inventory[cpu][count]}`, `{node.uuid}`, `{{` for a brace. A text
 * with a field that leads nowhere stays as it is, whole. Rules are written by people and say what Ironic's say; the values come from
 * machines, so only data is ever reached: own keys of plain objects and lists. */

export type Values = Readonly<Record<string, unknown>>

export function format(text: string, values: Values): string {
  let isKnown = true
  const formatted = text.replaceAll(/\{\{|\}\}|\{([^{}]*)\}|[{}]/g, (match, field: string | undefined) => {
    if (match === '{{') return '{'
    if (match === '}}') return '}'
    const value = field === undefined ? undefined : reach(field, values)
    isKnown &&= value !== undefined
    return value === undefined ? '' : pythonText(value)
  })
  return isKnown ? formatted : text
}

/** Every text in a value, keys too. */
export function formatAll(value: unknown, values: Values): unknown {
  if (typeof value === 'string') return format(value, values)
  if (Array.isArray(value)) return value.map((each) => formatAll(each, values))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [format(key, values), formatAll(each, values)]))
}

/** `name`, then `.attribute` and `[key]` in any order. */
function reach(field: string, values: Values): unknown {
  const path = /^([^.[\]]+)((?:\.[^.[\]]+|\[[^[\]]+\])*)$/.exec(field)
  if (!path) return undefined
  const steps = [...path[2]!.matchAll(/\.([^.[\]]+)|\[([^[\]]+)\]/g)].map((each) => each[1] ?? each[2]!)
  return [path[1]!, ...steps].reduce<unknown>(below, values)
}

function below(of: unknown, key: string): unknown {
  if (Array.isArray(of)) return /^\d+$/.test(key) ? (of[Number(key)] as unknown) : undefined
  if (typeof of !== 'object' || of === null) return undefined
  return Object.hasOwn(of, key) ? (of as Record<string, unknown>)[key] : undefined
}

/** What Python's str() makes of it. */
export function pythonText(value: unknown): string {
  return typeof value === 'string' ? value : representation(value)
}

function representation(value: unknown): string {
  if (value === null || value === undefined) return 'None'
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  if (typeof value === 'string') return quoted(value)
  if (Array.isArray(value)) return `[${value.map(representation).join(', ')}]`
  if (typeof value === 'object')
    return `{${Object.entries(value)
      .map(([key, each]) => `${quoted(key)}: ${representation(each)}`)
      .join(', ')}}`
  return String(value as number)
}

function quoted(text: string): string {
  const escaped = text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
  return escaped.includes("'") && !escaped.includes('"') ? `"${escaped}"` : `'${escaped.replaceAll("'", "\\'")}'`
}
