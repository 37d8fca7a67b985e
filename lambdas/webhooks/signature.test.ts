import { expect, it } from 'vitest'
import { newSecret, signature } from './signature.ts'
import { secretBox } from './secret-box.ts'

it('is what the specification’s libraries expect', () => {
  // The example of Standard Webhooks: secret, id, time and body of its reference implementation.
  const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
  expect(signature(secret, 'msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{"test": 2432232314}')).toBe(
    'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  )
})

it('takes a secret without the prefix as it is', () => {
  expect(signature(`whsec_${Buffer.from('plain text').toString('base64')}`, 'x')).toBe(signature('plain text', 'x'))
  expect(newSecret(Buffer.alloc(32))).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/)
})

it('a secret is kept so that only its key opens it, and only for its webhook', () => {
  const box = secretBox('k'.repeat(32))
  const sealed = box.seal('secret', 'a')
  expect(sealed).not.toContain('secret')
  expect(box.open(sealed, 'a')).toBe('secret')
  expect(() => box.open(sealed, 'b')).toThrow()
  expect(() => secretBox('l'.repeat(32)).open(sealed, 'a')).toThrow()
})
