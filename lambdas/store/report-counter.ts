import type { Item, Key, Table } from '../platform.ts'

/** Which reports of an appliance have been applied: all up to `through`, and those in `ahead`, which came before their turn. */
export interface ReportCounter {
  through: number
  ahead: number[]
}

/** Reports further ahead than this are applied but not counted: they come again, and change nothing then. */
const AHEAD = 1000

export const reportCounterKey = (appliance: string): Key => ({ pk: `appliance#${appliance}`, sk: 'reports' })

export async function getReportCounter(
  table: Table,
  appliance: string,
): Promise<{ counter: ReportCounter; item: Item | undefined }> {
  const item = await table.get(reportCounterKey(appliance))
  return { item, counter: (item?.value as ReportCounter | undefined) ?? { through: 0, ahead: [] } }
}

export function isCounted({ through, ahead }: ReportCounter, seq: number): boolean {
  return seq <= through || ahead.includes(seq)
}

export function count(counter: ReportCounter, seqs: number[]): ReportCounter {
  const ahead = new Set([...counter.ahead, ...seqs.filter((seq) => seq > counter.through)])
  let through = counter.through
  while (ahead.delete(through + 1)) through += 1
  return { through, ahead: [...ahead].sort((a, b) => a - b).slice(0, AHEAD) }
}
