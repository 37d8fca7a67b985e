import type { SQLInputValue } from 'node:sqlite'
import type { IndexName, Query } from '../lambdas/platform.ts'

/** A query of the table as SQL: by keys only, so that a page costs the same wherever it is and however many there are. */
export interface Sql {
  text: string
  values: SQLInputValue[]
}

/** Rows of one column, `body`; one more than the limit, where more follow. */
export function querySql(query: Query): Sql {
  const from = query.index ? 'item_index x JOIN item i ON i.pk = x.item_pk AND i.sk = x.item_sk' : 'item x'
  return select(`${query.index ? 'i' : 'x'}.body`, from, query)
}

/** Rows of `sk`, `item_pk`, `item_sk` and `brief`, which is null for an item that has none. */
export function briefSql(query: Query & { index: IndexName }): Sql {
  const from = 'item_index x LEFT JOIN brief b ON b.at = x.sk AND b.item_pk = x.item_pk AND b.item_sk = x.item_sk'
  return select('x.sk, x.item_pk, x.item_sk, b.body AS brief', from, query)
}

function select(columns: string, from: string, query: Query): Sql {
  if (!Number.isInteger(query.limit) || query.limit < 1) throw new RangeError(`limit ${query.limit} is not a count`)
  const { index, prefix, through, after } = query
  const where = [...(index ? ['x.name = ?'] : []), 'x.pk = ?']
  const values: SQLInputValue[] = [...(index ? [index] : []), query.pk]
  if (prefix) {
    where.push('x.sk >= ?', 'x.sk < ?')
    values.push(prefix, `${prefix}\u{10FFFF}`)
  }
  if (through !== undefined) {
    where.push('x.sk <= ?')
    values.push(through)
  }
  const order = index ? ['x.sk', 'x.item_pk', 'x.item_sk'] : ['x.sk']
  if (after) {
    where.push(`(${order.join(', ')}) ${query.descending ? '<' : '>'} (${order.map(() => '?').join(', ')})`)
    values.push(...(index ? [(after.at ?? after.key).sk, after.key.pk, after.key.sk] : [after.key.sk]))
  }
  const sorted = order.map((column) => `${column} ${query.descending ? 'DESC' : 'ASC'}`).join(', ')
  const text = `SELECT ${columns} FROM ${from} WHERE ${where.join(' AND ')} ORDER BY ${sorted} LIMIT ?`
  return { text, values: [...values, query.limit + 1] }
}
