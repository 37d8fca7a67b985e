import type { Outbox } from '../ledger/outbox.ts'

const AGAIN_MS = 3_600_000
const MOST = 1024

/** Machines that no plan knows are reported when they ask for an address: once an hour each, and only so many, because MACs are cheap. */
export function openStrangers(
  outbox: Outbox,
  now: () => Date,
): { met(mac: string, detail?: Record<string, string | number>): void } {
  const told = new Map<string, number>()
  return {
    met(mac, detail) {
      const at = now().getTime()
      for (const [known, when] of told) if (at - when > AGAIN_MS) told.delete(known)
      if (told.has(mac) || told.size >= MOST) return
      told.set(mac, at)
      outbox.append({ kind: 'unknown_machine', address: mac, detail: JSON.stringify(detail ?? {}).slice(0, 1024) })
    },
  }
}
