import { expect, it } from 'vitest'
import { addressGuard } from './address-guard.ts'

const guard = addressGuard()

it.each([
  '127.0.0.1',
  '127.255.0.9',
  '0.0.0.0',
  '10.1.2.3',
  '100.64.0.1',
  '169.254.169.254',
  '172.31.255.255',
  '192.168.1.1',
  '198.18.0.1',
  '224.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  '::ffff:127.0.0.1',
  '::ffff:8.8.8.8',
  '64:ff9b::7f00:1',
  '2002:7f00:1::',
  '2001:0:1::1',
  '2001:db8::1',
  'fc00::1',
  'fd00:ec2::254',
  'fe80::1',
  'fe80::1%eth0',
  '2606:4700::1%eth0',
  'ff02::1',
  'not an address',
])('refuses %s', (address) => {
  expect(guard.allows(address)).toBe(false)
})

it.each(['8.8.8.8', '172.32.0.1', '192.0.1.1', '2606:4700:4700::1111', '2a00:1450::1'])('allows %s', (address) => {
  expect(guard.allows(address)).toBe(true)
})

it('allows a network of our own that it was told of, and no other', () => {
  const own = addressGuard(['10.1.0.0/16', 'fd00:1::/32'])
  expect(['10.1.9.9', 'fd00:1::9', '8.8.8.8'].map(own.allows)).toEqual([true, true, true])
  expect(['10.2.0.1', 'fd00:2::1', '127.0.0.1'].map(own.allows)).toEqual([false, false, false])
})

it('looks names up for a socket, and gives it no address that is refused', async () => {
  const looked = (own: string[], all: boolean) =>
    new Promise<unknown>((resolve) =>
      addressGuard(own).lookup('localhost', { all }, (error, address) => resolve(error?.message ?? address)),
    )
  expect(await looked([], true)).toMatch(/^localhost is at .*, which the cloud may not reach$/)
  expect(await looked(['127.0.0.0/8', '::1/128'], true)).toContainEqual({ address: '127.0.0.1', family: 4 })
  expect(await looked(['127.0.0.0/8', '::1/128'], false)).toMatch(/^(127\.0\.0\.1|::1)$/)
})
