import type { Answer } from '../../contract/answer.ts'
import { ConflictError, type Key, type Table } from '../platform.ts'

/** What a site said to who asked it something, until they have it. */
export interface StoredAnswer {
  /** Of the node, when it was asked. */
  generation: number
  answer: Answer
}

const ATTEMPTS = 30

export const answerKey = (node: string): Key => ({ pk: `node#${node}`, sk: 'answer' })

/** A newer one takes the place of an older. */
export async function putAnswer(table: Table, node: string, value: StoredAnswer): Promise<void> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const before = await table.get(answerKey(node))
    if (before && (before.value as StoredAnswer).generation > value.generation) return
    const put = { ...answerKey(node), version: (before?.version ?? 0) + 1, value }
    try {
      return await table.write([{ put, expect: before ? before.version : 'absent' }])
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error
    }
  }
  throw new Error(`node ${node}: an answer could not be written`)
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
