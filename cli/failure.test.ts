import { expect, it } from 'vitest'
import { ApiError } from '../contract/api/client.ts'
import { explain } from './failure.ts'

function unreached(code: string, message = ''): TypeError {
  return new TypeError('fetch failed', { cause: Object.assign(new Error(message), { code }) })
}

it.each([
  ['ECONNREFUSED', 'is `bloomery serve` running there'],
  ['CERT_HAS_EXPIRED', 'has expired'],
  ['CERT_NOT_YET_VALID', 'clocks'],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', '--ca'],
  ['SELF_SIGNED_CERT_IN_CHAIN', '--ca'],
  ['ERR_SSL_WRONG_VERSION_NUMBER', 'is it http://'],
  ['UND_ERR_SOCKET', 'is it https://'],
  ['EAI_AGAIN', 'is --endpoint right?'],
])('says what to do about %s', (code, remedy) => {
  const [text, exit] = explain(unreached(code))
  expect(text).toMatch(`cannot reach the API (${code}): `)
  expect(text).toContain(remedy)
  expect(exit).toBe(4)
})

it('does not blame the authority for a certificate of other names', () => {
  const said = "Host: 127.0.0.1. is not in the cert's altnames: DNS:cloud.example"
  const [text] = explain(unreached('ERR_TLS_CERT_ALTNAME_INVALID', said))
  expect(text).toContain(said)
  expect(text).not.toContain('--ca')
})

it('asks for credentials, or for others, when the API knows nobody by those', () => {
  expect(explain(new ApiError(401, 'Authorization required.'))).toEqual([
    'Authorization required: set BLOOMERY_USERNAME and BLOOMERY_PASSWORD, or correct them',
    3,
  ])
})

it('says the cause behind an error that has one', () => {
  const cause = new Error('database is locked')
  expect(explain(new Error('cannot start', { cause }))).toEqual(['cannot start (database is locked)', 1])
})
