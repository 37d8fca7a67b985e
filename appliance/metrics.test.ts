import { expect, test } from 'vitest'
import { openMetrics } from './metrics.ts'

test('counters add up by their labels, in the text that Prometheus reads', () => {
  const metrics = openMetrics()
  metrics.count('bloomery_tftp_transfers_total', { result: 'complete' })
  metrics.count('bloomery_tftp_transfers_total', { result: 'complete' })
  metrics.count('bloomery_tftp_transfers_total', { result: 'a "b"\\\n' })
  const lines = metrics.text().split('\n')
  expect(lines).toContain('# TYPE bloomery_tftp_transfers_total counter')
  expect(lines).toContain('bloomery_tftp_transfers_total{result="complete"} 2')
  expect(lines).toContain(String.raw`bloomery_tftp_transfers_total{result="a \"b\"\\\n"} 1`)
})

test('a counter that is kept counts in the series of its labels', () => {
  const metrics = openMetrics()
  const complete = metrics.counter('bloomery_tftp_transfers_total', { result: 'complete' })
  complete()
  complete(2)
  metrics.count('bloomery_tftp_transfers_total', { result: 'complete' })
  expect(metrics.text()).toContain('\nbloomery_tftp_transfers_total{result="complete"} 4\n')
})

test('a histogram counts each value in every bucket that holds it', () => {
  const metrics = openMetrics()
  for (const seconds of [0.0005, 0.015, 9]) metrics.observe('bloomery_dhcp_answer_seconds', seconds)
  const lines = metrics.text().split('\n')
  expect(lines).toContain('bloomery_dhcp_answer_seconds_bucket{le="0.001"} 1')
  expect(lines).toContain('bloomery_dhcp_answer_seconds_bucket{le="0.02"} 2')
  expect(lines).toContain('bloomery_dhcp_answer_seconds_bucket{le="+Inf"} 3')
  expect(lines).toContain('bloomery_dhcp_answer_seconds_count 3')
})

test('a gauge is read when somebody looks', () => {
  const metrics = openMetrics()
  let leases = 1
  metrics.gauge('bloomery_dhcp_leases', () => leases)
  leases = 7
  expect(metrics.text()).toContain('\nbloomery_dhcp_leases 7\n')
})

test('labels that strangers make up do not take memory without end', () => {
  const metrics = openMetrics()
  for (let index = 0; index < 10_000; index += 1)
    metrics.count('bloomery_dhcp_foreign_servers_total', { server: `10.0.${index >> 8}.${index & 255}` })
  const lines = metrics.text().split('\n')
  expect(lines.filter((line) => line.startsWith('bloomery_dhcp_foreign_servers_total'))).toHaveLength(129)
  expect(lines).toContain('bloomery_dhcp_foreign_servers_total{series="other"} 9872')
})
