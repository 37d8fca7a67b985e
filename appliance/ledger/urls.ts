import type { ByteSource } from '../../contract/plan-sources.ts'
import type { Ledger } from './ledger.ts'

/** Signed URLs by blob key, as the last message carried them. They expire; the uplink can ask for new ones. */
export interface Urls {
  learn(urls: Record<string, string>): void
  urlOf(source: ByteSource): string | undefined
}

/** Those learnt longest ago go first; one that is still needed is asked for again. */
const KEPT = 10_000

export function openUrls(ledger: Ledger): Urls {
  const insert = ledger.db.prepare('insert or replace into url (key, url) values (?, ?)')
  const prune = ledger.db.prepare('delete from url where rowid <= (select max(rowid) from url) - ?')
  const select = ledger.db.prepare('select url from url where key = ?')
  return {
    learn(urls) {
      const entries = Object.entries(urls)
      if (entries.length === 0) return
      ledger.soon(() => {
        for (const [key, url] of entries) insert.run(key, url)
        prune.run(KEPT)
      })
    },
    urlOf: (source) =>
      source.kind === 'url' ? source.url : (select.get(source.key) as { url: string } | undefined)?.url,
  }
}
