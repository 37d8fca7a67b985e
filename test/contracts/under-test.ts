import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll } from 'vitest'
import type { Item } from '../../lambdas/platform.ts'
import type { PlatformUnderTest } from './platform.ts'

export type Make = () => Promise<PlatformUnderTest>

/** Makes the platform before the suite's tests and closes it after them. */
export function underTest(make: Make): () => PlatformUnderTest {
  let made: PlatformUnderTest | undefined
  beforeAll(async () => {
    made = await make()
  })
  afterAll(async () => made?.close())
  return () => {
    if (!made) throw new Error('the platform was not made')
    return made
  }
}

/** A partition key of this test alone. */
export function freshKey(): string {
  return `test#${randomUUID()}`
}

export function item(pk: string, sk: string, version = 1, more: Partial<Item> = {}): Item {
  return { pk, sk, version, value: { text: `${sk} v${version}` }, ...more }
}
