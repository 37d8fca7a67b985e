import type { ByteSource } from '../../contract/plan.ts'
import type { Ledger } from './ledger.ts'

/** Signed URLs by blob key, as the last message carried them. They expire; the uplink can ask for new ones. */
export interface Urls {
  learn(urls: Record<string, string>): void
  urlOf(source: ByteSource): string | undefined
}

export function openUrls(ledger: Ledger): Urls {
  const insert = ledger.db.prepare(
    'insert into url (key, url) values (?, ?) on conflict (key) do update set url = excluded.url',
  )
  const select = ledger.db.prepare('select url from url where key = ?')
  return {
    learn: (urls) => Object.entries(urls).forEach(([key, url]) => insert.run(key, url)),
    urlOf: (source) =>
      source.kind === 'url' ? source.url : (select.get(source.key) as { url: string } | undefined)?.url,
  }
}
