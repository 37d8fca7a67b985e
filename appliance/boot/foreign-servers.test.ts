import { expect, test } from 'vitest'
import { openMetrics } from '../metrics.ts'
import { foreignServers } from './foreign-servers.ts'

test('a foreign server is said once an hour, and every sign of it is counted', () => {
  const lines: string[] = []
  const write = (_: unknown, line: string): void => void lines.push(line)
  const metrics = openMetrics()
  let now = 0
  const log = { debug: write, info: write, warn: write, error: write }
  const told: string[] = []
  const notices = { tell: (cause: string) => void told.push(cause) }
  const found = foreignServers({ log, metrics, notices, clock: { now: () => new Date(now) } })
  const sign = { server: '10.1.0.66', how: 'chosen by a client', mac: '52:54:00:00:00:01' } as const
  found(sign)
  found(sign)
  expect(lines).toHaveLength(1)
  expect(told).toEqual(['dhcp server 10.1.0.66'])
  expect(lines[0]).toContain('another DHCP server, 10.1.0.66, was chosen by a client')
  now = 3_700_000
  found(sign)
  expect(lines).toHaveLength(2)
  expect(metrics.text()).toContain('bloomery_dhcp_foreign_servers_total{server="10.1.0.66"} 3')
})
