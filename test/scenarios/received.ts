import { expect } from 'vitest'
import type { Crossed } from '../rack/paper/recorded-link.ts'

/** The cloud has said that it has every report that was sent: the site may forget them all. */
export async function allIsReceived({ up, down }: Crossed): Promise<void> {
  const sent = up.flatMap((message) => (message.kind === 'reports' ? message.reports : []))
  const received = (): number => Math.max(...down.map((each) => (each.kind === 'received' ? each.reports_through : 0)))
  await expect
    .poll(received, { timeout: 60_000, interval: 5 })
    .toBeGreaterThanOrEqual(Math.max(...sent.map(({ seq }) => seq)))
}
