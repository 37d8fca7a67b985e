type Pattern = { [key: string]: Pattern | Array<string | { prefix: string }> }

/** Lambda's event filtering, as far as the stack uses it: equal texts and prefixes. */
export function matches(pattern: Pattern, event: unknown): boolean {
  return Object.entries(pattern).every(([key, wanted]) => {
    const value = (event as Record<string, unknown> | undefined)?.[key]
    if (!Array.isArray(wanted)) return matches(wanted, value)
    return wanted.some((rule) =>
      typeof rule === 'string' ? value === rule : typeof value === 'string' && value.startsWith(rule.prefix),
    )
  })
}
