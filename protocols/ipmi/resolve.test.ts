import { expect, test } from 'vitest'
import { TransportError, TransportTimeout } from './error.ts'
import { resolveHost } from './resolve.ts'
import { virtualClock } from './testing/virtual-clock.ts'

const bmc = { host: 'bmc.example', port: 623 }
const within = (seconds: number) => ({ deadline: seconds * 1000, seconds })

test('an address is itself, and a name what it stands for', async () => {
  const found = async () => ({ address: '192.0.2.7' })
  expect(await resolveHost({ ...bmc, host: '2001:DB8::1' }, virtualClock(), within(5), found)).toBe('2001:DB8::1')
  expect(await resolveHost(bmc, virtualClock(), within(5), found)).toBe('192.0.2.7')
})

test('a name that nobody knows is told as that', async () => {
  const nobody = () => Promise.reject(Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' }))
  await expect(resolveHost(bmc, virtualClock(), within(5), nobody)).rejects.toThrow(TransportError)
})

test('a resolver that is silent is given up at the deadline', async () => {
  const clock = virtualClock()
  const asked = resolveHost(bmc, clock, within(5), () => new Promise(() => {}))
  await expect(clock.run(asked)).rejects.toThrow(TransportTimeout)
  expect(clock.now()).toBe(5000)
})
