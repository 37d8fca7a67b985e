import { expect, test } from 'vitest'
import { captureFilter } from './filter.ts'

test('the filter takes a machine by its cards, by DHCP that a relay carries, and by its address', () => {
  expect(captureFilter(['52:54:00:97:AB:01', '52:54:00:97:ab:02'], ['10.1.0.7'])).toBe(
    'ether host 52:54:00:97:ab:01 or ether host 52:54:00:97:ab:02 or ((udp port 67 or udp port 4011) and ' +
      '((udp[36:4] = 0x52540097 and udp[40:2] = 0xab01) or (udp[36:4] = 0x52540097 and udp[40:2] = 0xab02))) or host 10.1.0.7',
  )
})

test.each([
  [[], []],
  [['52:54:00:97:00'], []],
  [['any or host 10.0.0.1'], []],
  [['52:54:00:97:00:01'], ['10.1.0.7 or port 22']],
])('%s, %s is refused', (macs, addresses) => {
  expect(() => captureFilter(macs, addresses)).toThrow()
})
