import type { Ledger } from '../ledger/ledger.ts'

/** SSH host keys of BMCs, by their fingerprint as OpenSSH writes it: the first one that a BMC shows is the one it must show ever after. */
export interface HostKeys {
  get(node: string): { address: string; fingerprint: string } | undefined
  set(node: string, key: { address: string; fingerprint: string }): void
}

export function openHostKeys(ledger: Ledger): HostKeys {
  return {
    get: (node) =>
      ledger.statement('select address, fingerprint from ssh_host_key where node = ?').get(node) as
        | { address: string; fingerprint: string }
        | undefined,
    set(node, { address, fingerprint }) {
      ledger.transaction(() =>
        ledger
          .statement('insert or replace into ssh_host_key (node, address, fingerprint) values (?, ?, ?)')
          .run(node, address, fingerprint),
      )
    },
  }
}
