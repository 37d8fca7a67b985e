import type { Answer } from '../../contract/answer.ts'
import { ConflictError, type Key, type Table } from '../platform.ts'
import { replace } from './replace.ts'

/** What a site said to who asked it something, until they have it. */
export interface StoredAnswer {
  /** Of the node, when it was asked. */
  generation: number
  answer: Answer
}

export const answerKey = (node: string): Key => ({ pk: `node#${node}`, sk: 'answer' })

/** A newer one takes the place of an older. */
export function putAnswer(table: Table, node: string, value: StoredAnswer): Promise<void> {
  return replace<StoredAnswer>(table, answerKey(node), (before) =>
    before && before.generation > value.generation ? undefined : value,
  )
}

/** It is told once: it may say whom a BMC tells what. */
export async function takeAnswer(table: Table, node: string, generation: number): Promise<Answer | undefined> {
  const found = await table.get(answerKey(node))
  const stored = found?.value as StoredAnswer | undefined
  if (!found || stored?.generation !== generation) return undefined
  try {
    await table.write([{ delete: answerKey(node), expect: found.version }])
  } catch (error) {
    if (!(error instanceof ConflictError)) throw error // the answer to a later question is there already
  }
  return stored.answer
}
