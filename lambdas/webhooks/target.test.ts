import { expect, it } from 'vitest'
import { requireTarget } from './target.ts'

const strict = { networks: [], http: false }

it.each(['https://hooks.example/a?b=c', 'https://8.8.8.8:8443/', 'https://[2606:4700::1]/'])('takes %s', (url) => {
  expect(() => requireTarget(url, strict)).not.toThrow()
})

it.each([
  ['http://hooks.example/', /https only/],
  ['https://user:secret@hooks.example/', /no user name or password/],
  ['https://hooks.example/#part', /fragment/],
  ['https://localhost/', /not a public address/],
  ['https://a.localhost/', /not a public address/],
  ['https://127.1/', /127\.0\.0\.1 is not a public address/],
  ['https://0x7f000001/', /127\.0\.0\.1 is not a public address/],
  ['https://2130706433/', /127\.0\.0\.1 is not a public address/],
  ['https://169.254.169.254/latest/meta-data', /not a public address/],
  ['https://[::1]/', /::1 is not a public address/],
  ['https://[::ffff:10.0.0.1]/', /not a public address/],
])('refuses %s', (url, why) => {
  expect(() => requireTarget(url, strict)).toThrow(why)
})

it('takes plain http and own networks where they are allowed', () => {
  expect(() => requireTarget('http://10.1.2.3:8080/', { networks: ['10.0.0.0/8'], http: true })).not.toThrow()
})
