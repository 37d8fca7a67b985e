/** Rows under their headings, as wide as needed; nothing is cut. */
export function tabular(headings: readonly string[], rows: ReadonlyArray<ReadonlyArray<unknown>>): string {
  const texts = [headings, ...rows].map((row) => row.map(cell))
  const widths = headings.map((_, column) => Math.max(...texts.map((row) => row[column]!.length)))
  return texts
    .map((row) =>
      row
        .map((text, column) => text.padEnd(widths[column]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

/** One `name  value` a line; empty values are left out. */
export function record(of: Record<string, unknown>): string {
  const shown = Object.entries(of).filter(([, value]) => cell(value) !== '')
  const width = Math.max(...shown.map(([name]) => name.length))
  return shown.map(([name, value]) => `${name.padEnd(width)}  ${cell(value)}`).join('\n')
}

function cell(value: unknown): string {
  if (value === null || value === undefined) return ''
  if (typeof value === 'object') return Object.keys(value).length === 0 ? '' : JSON.stringify(value)
  return printable(typeof value === 'string' ? value : JSON.stringify(value))
}

/** Names and errors come from elsewhere: they must not steer the terminal. */
export function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, ' ')
}
