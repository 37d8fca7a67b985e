import { expect, test } from 'vitest'
import { isSealed, isSecretKey, newSealingKey, open, seal } from './seal.ts'

const one = newSealingKey()
const two = newSealingKey()
const to = [
  { appliance: 'one', key: one.publicKey },
  { appliance: 'two', key: two.publicKey },
]

test('each appliance of the site opens what was sealed, and the text is nowhere in it', () => {
  const box = seal('correct horse', 'node/ipmi_password', to)
  expect(isSealed(box)).toBe(true)
  expect(JSON.stringify(box)).not.toContain('correct')
  expect(open(box, 'node/ipmi_password', 'one', one.privateKey)).toBe('correct horse')
  expect(open(box, 'node/ipmi_password', 'two', two.privateKey)).toBe('correct horse')
})

test('no other key opens it, and none opens it for another node or field', () => {
  const box = seal('correct horse', 'node/ipmi_password', to)
  expect(() => open(box, 'node/ipmi_password', 'one', two.privateKey)).toThrow()
  expect(() => open(box, 'other/ipmi_password', 'one', one.privateKey)).toThrow()
  expect(() => open(box, 'node/ipmi_password', 'three', newSealingKey().privateKey)).toThrow(/write the secret again/)
})

test('a changed box does not open', () => {
  const box = seal('correct horse', 'x', to)
  const bytes = Buffer.from(box.$sealed.to['one']!.box, 'base64')
  bytes[14]! ^= 1
  box.$sealed.to['one']!.box = bytes.toString('base64')
  expect(() => open(box, 'x', 'one', one.privateKey)).toThrow()
})

test('keys that look like secrets are known as such', () => {
  for (const key of ['ipmi_password', 'redfish_password', 'ipmi_hex_kg_key', 'agent_token'])
    expect(isSecretKey(key)).toBe(true)
  for (const key of ['ipmi_address', 'ipmi_username', 'deploy_kernel']) expect(isSecretKey(key)).toBe(false)
})
