import type { Ledger } from './ledger.ts'

/** What a machine's installer said last. It has no API that it could be asked by. */
export interface Installers {
  said(node: string): Said | undefined
  say(node: string, said: Said): void
  /** Another installation is to begin. */
  clear(node: string): void
}

export interface Said {
  status: 'start' | 'end' | 'error'
  message: string
}

export function openInstallers(ledger: Ledger): Installers {
  return {
    said(node) {
      return ledger.statement('select status, message from installer where node = ?').get(node) as Said | undefined
    },
    say(node, { status, message }) {
      ledger
        .statement(
          `insert into installer (node, status, message) values (?, ?, ?)
           on conflict (node) do update set status = excluded.status, message = excluded.message`,
        )
        .run(node, status, message)
    },
    clear(node) {
      ledger.statement('delete from installer where node = ?').run(node)
    },
  }
}
