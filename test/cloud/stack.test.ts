import { rmSync } from 'node:fs'
import { afterAll, expect, test } from 'vitest'
import { indexes } from '../../lambdas/platform.ts'
import { synthesised } from './template.ts'

const template = synthesised('unbundled')
afterAll(() => rmSync(template.directory, { recursive: true }))

test('the table has the indexes that the platform names, and stores no values in them', () => {
  const [, { Properties }] = template.one('AWS::DynamoDB::Table')
  const built = Properties['GlobalSecondaryIndexes'] as Array<{ IndexName: string; Projection: object }>
  expect(built.map(({ IndexName }) => IndexName)).toEqual([...indexes])
  for (const { Projection } of built) expect(Projection).toEqual({ ProjectionType: 'KEYS_ONLY' })
})
