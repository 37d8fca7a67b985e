import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Claims, readToken, signToken } from './token.ts'

const key = Buffer.alloc(32, 7).toString('base64url')
const other = Buffer.alloc(32, 8).toString('base64url')
const issued = Date.parse('2026-11-23T10:00:00Z')
const now = new Date(issued + 1000)
const claims: Claims = {
  ids: ['one', 'first'],
  user: 'a'.repeat(32),
  methods: ['password', 'token'],
  scope: ['project', 'b'.repeat(32)],
  credential: null,
  issued,
  expires: issued + 3_600_000,
}
const token = signToken(claims, key)

describe('a token', () => {
  it('says what was signed', () => {
    expect(readToken(token, key, now)).toEqual(claims)
  })

  it('fits in a header that every server takes', () => {
    const longest: Claims = { ...claims, ids: ['x'.repeat(22), 'y'.repeat(22)], credential: 'c'.repeat(32) }
    expect(signToken(longest, key).length).toBeLessThan(1024)
  })

  it('is over at its time, and not before', () => {
    expect(readToken(token, key, new Date(claims.expires - 1))).toBeDefined()
    expect(readToken(token, key, new Date(claims.expires))).toBeUndefined()
  })

  it('is nothing under another key', () => {
    expect(readToken(token, other, now)).toBeUndefined()
  })

  it('is nothing with claims that nobody signed', () => {
    const [version, , signature] = token.split('.')
    const forged = Buffer.from(JSON.stringify({ ...claims, scope: ['system'] })).toString('base64url')
    expect(readToken(`${version}.${forged}.${signature}`, key, now)).toBeUndefined()
    expect(readToken(`${version}.${forged}.`, key, now)).toBeUndefined()
    expect(readToken(`${version}.${forged}`, key, now)).toBeUndefined()
  })

  it('is nothing when signed rightly but not made by signToken', () => {
    const body = `v1.${Buffer.from(JSON.stringify({ ...claims, admin: true })).toString('base64url')}`
    const sign = createHmac('sha256', Buffer.from(key, 'base64url')).update(body).digest('base64url')
    expect(readToken(`${body}.${sign}`, key, now)).toBeUndefined()
  })

  it('is nothing with any one character changed', () => {
    fc.assert(
      fc.property(fc.nat(token.length - 1), fc.constantFrom('A', 'z', '0', '9', '_', '-', '.'), (at, character) => {
        fc.pre(token[at] !== character)
        const changed = token.slice(0, at) + character + token.slice(at + 1)
        expect(readToken(changed, key, now)).toBeUndefined()
      }),
      { numRuns: 500 },
    )
  })

  it('is nothing when it is rubbish, however long', () => {
    fc.assert(fc.property(fc.string(), (text) => readToken(text, key, now) === undefined))
    expect(readToken('v1.'.repeat(1_000_000), key, now)).toBeUndefined()
  })
})
