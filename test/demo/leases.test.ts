import { expect, test } from 'vitest'
import { lastAddress } from './leases.ts'

const line = (reply: string, mac: string, address: string): string =>
  JSON.stringify({ level: 30, request: 'request', reply, mac, because: 'known machine', address, msg: 'DHCP request' })
const one = '52:54:00:80:00:0b'

test('the newest acknowledged address of a card counts, not an offer and not another card’s', () => {
  const log = [
    line('ack', one, '10.80.0.100'),
    line('ack', one, '10.80.0.101'),
    line('offer', one, '10.80.0.102'),
    line('ack', '52:54:00:80:00:0c', '10.80.0.103'),
    '',
  ].join('\n')
  expect(lastAddress(log, one)).toBe('10.80.0.101')
})

test('a card that never got an address has none', () => {
  expect(lastAddress(line('offer', one, '10.80.0.102'), one)).toBeUndefined()
})
