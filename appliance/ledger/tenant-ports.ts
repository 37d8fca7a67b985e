import type { Command } from '../../contract/messages.ts'
import { tenantPort, type TenantPort } from '../../contract/tenant-port.ts'
import type { Log } from '../log.ts'
import { isGone, remember, setGone } from './inbox.ts'
import type { Ledger } from './ledger.ts'

export interface TenantPorts {
  accept(command: Extract<Command, { kind: 'tenant_port' }>): void
  /** Of the port that this card has. */
  byMac(mac: string): TenantPort | undefined
  /** Networks of IPv6 that routers are to tell of, each once. */
  advertised(): AdvertisedPrefix[]
  /** Called after each change. */
  onChange(listener: () => void): void
}

export interface AdvertisedPrefix {
  cidr: string
  mode: 'slaac' | 'dhcpv6-stateful' | 'dhcpv6-stateless' | null
}

/** The ports of tenants' networks that machines here have, as the cloud last told; they outlast any absence of it. */
export function openTenantPorts(ledger: Ledger, log: Log): TenantPorts {
  const { db } = ledger
  const newest = db.prepare('select body from tenant_port where mac = ? order by rowid desc limit 1')
  const drop = db.prepare('delete from tenant_port where port = ? and generation < ?')
  const keep = db.prepare(
    `insert into tenant_port (port, generation, mac, body) values (?, ?, ?, ?)
     on conflict (port) do update set generation = excluded.generation, mac = excluded.mac, body = excluded.body
     where excluded.generation > generation`,
  )
  const every = db.prepare('select body from tenant_port')
  const listeners: (() => void)[] = []
  return {
    accept(command) {
      const { node: port, generation, wanted } = command
      ledger.soon(() => {
        if (!remember(ledger, command) || isGone(ledger, command)) return
        if (wanted) keep.run(port, generation, wanted.mac, JSON.stringify(wanted))
        else {
          setGone(ledger, command)
          drop.run(port, generation)
        }
        log.info(
          { port, node: wanted?.node, mac: wanted?.mac, generation },
          wanted ? 'tenant port' : 'tenant port gone',
        )
      })
      for (const listener of listeners) listener()
    },
    byMac(mac) {
      const found = newest.get(mac) as { body: string } | undefined
      return found && tenantPort.parse(JSON.parse(found.body))
    },
    advertised() {
      const ports = (every.all() as { body: string }[]).map(({ body }) => tenantPort.parse(JSON.parse(body)))
      const all = ports.flatMap(({ addresses }) => addresses.filter((each) => each.advertised))
      return [...new Map(all.map(({ cidr, mode }) => [cidr, { cidr, mode }])).values()].sort((a, b) =>
        a.cidr < b.cidr ? -1 : 1,
      )
    },
    onChange: (listener) => void listeners.push(listener),
  }
}
