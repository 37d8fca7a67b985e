import { expect, test } from 'vitest'
import { startMetricsServer } from './metrics-server.ts'
import { openMetrics } from './metrics.ts'

test('who scrapes gets the counts of now, and there is nothing else to get', async () => {
  const metrics = openMetrics()
  const server = await startMetricsServer(metrics, 0)
  try {
    metrics.count('bloomery_tftp_bytes_total', {}, 1_500)
    const reply = await fetch(`http://127.0.0.1:${server.port}/metrics`)
    expect(reply.headers.get('content-type')).toContain('version=0.0.4')
    expect(await reply.text()).toContain('\nbloomery_tftp_bytes_total 1500\n')
    expect((await fetch(`http://127.0.0.1:${server.port}/`)).status).toBe(404)
  } finally {
    await server.stop()
  }
})
