import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { command, downlink, report, uplink } from './messages.ts'

/** Frozen messages: a file in golden/v1 is never edited. If one of these fails, a site or cloud that is not updated yet would no longer be
 * understood: change the schema back, or add a version. */
const schemas = { downlink, uplink }
const folder = new URL('golden/v1/', import.meta.url)
const files = readdirSync(folder)

for (const file of files) {
  test(`golden/v1/${file} is still understood, whole`, () => {
    const kind = file.split('-')[0] as keyof typeof schemas
    const message: unknown = JSON.parse(readFileSync(new URL(file, folder), 'utf8'))
    expect(schemas[kind].parse(message)).toEqual(message)
  })
}

test('every kind of message, command and report has a golden one', () => {
  const text = files.map((file) => readFileSync(new URL(file, folder), 'utf8')).join('')
  const kinds = [...downlink.options, ...uplink.options, ...command.options, ...report.options].flatMap((option) => [
    ...option.shape.kind.values,
  ])
  for (const kind of kinds) expect(text).toContain(`"kind": "${kind}"`)
})
