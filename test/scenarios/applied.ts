/** Reports that a cloud's log says to have applied, by what makes them one; each must be there once at most. */
export function appliedTwice(log: string[]): string[] {
  const seen = new Set<string>()
  const twice: string[] = []
  for (const line of log) {
    if (!line.includes('"applied":true')) continue
    const { node, generation, lane, ordinal } = JSON.parse(line) as Record<string, unknown>
    const key = JSON.stringify({ node, generation, lane, ordinal })
    if (seen.has(key)) twice.push(key)
    seen.add(key)
  }
  return twice
}
