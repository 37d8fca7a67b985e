import { expect, test } from 'vitest'
import { ping } from './ping.ts'
import { paperSession } from './testing/paper-session.ts'

test('a BMC that is there answers a ping, also when some are lost; one that is not is no error', async () => {
  const { net, clock } = await paperSession()
  const to = { socket: net, host: '127.0.0.1', port: 623, clock }
  expect(await clock.run(ping(to, 1000))).toEqual({ ipmi: true })
  let lost = 0
  net.loses = (direction) => direction === 'to BMC' && (lost += 1) < 3
  expect(await clock.run(ping(to, 5000))).toEqual({ ipmi: true })
  net.loses = () => true
  expect(await clock.run(ping(to, 5000))).toBeUndefined()
})
