import { type Installers, openInstallers } from './installers.ts'
import type { Ledger } from './ledger.ts'
import type { Vault } from './vault.ts'

/** The agent that runs on a machine now. The row lives from the first lookup of a boot until the machine is powered off or reset. */
export interface AgentRow {
  node: string
  token: string
  url: string | undefined
  certificate: string | undefined
  version: string | undefined
  startedAt: Date
  heartbeatAt: Date | undefined
}

export interface AgentRows {
  /** Those in their place on machines that install by themselves. */
  installers: Installers
  get(node: string): AgentRow | undefined
  /** The token when it is given for the first time; undefined when another asked before (Ironic shows `******` then). */
  giveToken(node: string, fresh: string, now: Date): string | undefined
  heartbeat(
    node: string,
    at: Date,
    facts: { url: string; certificate: string | undefined; version: string | undefined },
  ): void
  /** The machine was powered off or reset: whoever boots next is another agent. */
  wipe(node: string): void
}

type Row = {
  node: string
  token: Uint8Array
  url: string | null
  certificate: string | null
  version: string | null
  started_at: string
  heartbeat_at: string | null
}

export function openAgentRows(ledger: Ledger, vault: Vault): AgentRows {
  const { db } = ledger
  const select = db.prepare('select * from agent where node = ?')
  return {
    installers: openInstallers(ledger),
    get(node) {
      const row = select.get(node) as Row | undefined
      return (
        row && {
          node,
          token: vault.decrypt(row.token),
          url: row.url ?? undefined,
          certificate: row.certificate ?? undefined,
          version: row.version ?? undefined,
          startedAt: new Date(row.started_at),
          heartbeatAt: row.heartbeat_at === null ? undefined : new Date(row.heartbeat_at),
        }
      )
    },
    giveToken(node, fresh, now) {
      const added = db
        .prepare('insert into agent (node, token, given, started_at) values (?, ?, 1, ?) on conflict do nothing')
        .run(node, vault.encrypt(fresh), now.toISOString())
      return Number(added.changes) === 1 ? fresh : undefined
    },
    heartbeat(node, at, facts) {
      db.prepare('update agent set heartbeat_at = ?, url = ?, certificate = ?, version = ? where node = ?').run(
        at.toISOString(),
        facts.url,
        facts.certificate ?? null,
        facts.version ?? null,
        node,
      )
    },
    wipe(node) {
      db.prepare('delete from agent where node = ?').run(node)
    },
  }
}
