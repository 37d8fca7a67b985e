import type { Ledger } from './ledger.ts'

export function readCounter(ledger: Ledger, name: string): number {
  const row = ledger.statement('select value from counter where name = ?').get(name) as { value: number } | undefined
  return row?.value ?? 0
}

export function writeCounter(ledger: Ledger, name: string, value: number): void {
  ledger
    .statement(
      'insert into counter (name, value) values (?, ?) on conflict (name) do update set value = excluded.value',
    )
    .run(name, value)
}
