import { expect, it, onTestFinished } from 'vitest'
import { openLedger } from './ledger.ts'
import { openUrls } from './urls.ts'

function fresh() {
  const ledger = openLedger(':memory:')
  onTestFinished(() => ledger.close())
  return { ledger, urls: openUrls(ledger) }
}

it('knows the URL that was told last', () => {
  const { urls } = fresh()
  urls.learn({ image: 'https://blobs/1' })
  urls.learn({ image: 'https://blobs/2' })
  expect(urls.urlOf({ kind: 'blob', key: 'image' })).toBe('https://blobs/2')
  expect(urls.urlOf({ kind: 'blob', key: 'other' })).toBeUndefined()
  expect(urls.urlOf({ kind: 'url', url: 'https://elsewhere/x' })).toBe('https://elsewhere/x')
})

it('keeps a bounded number of them, the newest', () => {
  const { ledger, urls } = fresh()
  for (let batch = 0; batch < 12; batch += 1)
    urls.learn(Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`${batch}/${index}`, 'https://blobs'])))
  expect(ledger.db.prepare('select count(*) as n from url').get()?.['n']).toBe(10_000)
  expect(urls.urlOf({ kind: 'blob', key: '1/999' })).toBeUndefined()
  expect(urls.urlOf({ kind: 'blob', key: '2/0' })).toBe('https://blobs')
})
