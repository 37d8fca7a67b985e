import { fieldSince, parameterSince, routeSince, verbSince } from './matrix.ts'
import { MAXIMUM, versionText } from './versions.ts'

/** docs/api-versions.md: the matrix, by version, for people. */
export function versionsDocument(): string {
  const versions = Array.from({ length: MAXIMUM }, (_, at) => at + 1)
  const sections = versions.flatMap((minor) => {
    const lines = additions(minor)
    return lines.length === 0 ? [] : [`## ${versionText(minor)}\n\n${lines.map((line) => `- ${line}`).join('\n')}\n`]
  })
  return `${PREAMBLE}\n${sections.join('\n')}`
}

const PREAMBLE = `# What exists from which microversion on

Made of \`contract/api/matrix.ts\`; \`vitest run --project unit contract/api -u\` writes it anew. What isn't here exists since 1.1. A field,
parameter or verb that is newer than the request's version is answered with 406, and left out of replies; a newer path with the status
that is given, 404 where none is.
`

function additions(minor: number): string[] {
  const paths = Object.entries(routeSince).filter(([, { since }]) => since === minor)
  return [
    ...paths.map(([path, line]) => `path \`${path}\`${'below' in line ? ` (below: ${statuses(line.below)})` : ''}`),
    ...named('field', fieldSince, minor),
    ...named('parameter', parameterSince, minor),
    ...named('verb', { provision: verbSince }, minor),
  ]
}

function statuses(below: Readonly<Record<string, number>>): string {
  return Object.entries(below)
    .map(([method, status]) => `${method} ${status}`)
    .join(', ')
}

function named(
  kind: string,
  tables: Readonly<Record<string, Readonly<Record<string, number>>>>,
  minor: number,
): string[] {
  return Object.entries(tables).flatMap(([table, since]) => {
    const names = Object.keys(since).filter((name) => since[name] === minor)
    return names.length === 0 ? [] : [`${kind} of ${table}: ${names.map((name) => `\`${name}\``).join(', ')}`]
  })
}
