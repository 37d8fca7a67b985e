import { sentence } from '../hardware-error.ts'
import type { BmcFaults } from '../ledger/bmc-faults.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { Machines } from '../ledger/machines.ts'
import type { Outbox } from '../ledger/outbox.ts'
import type { Log } from '../log.ts'
import type { Tell } from './watch.ts'

/** What is to be told of power, written together about once a second: a rack that comes back is one transaction and few messages. */
export interface News {
  add(node: string, what: Tell): void
  /** Writes what `may` still be told. */
  flush(may: (node: string) => boolean): void
}

export interface NewsParts {
  ledger: Ledger
  machines: Pick<Machines, 'setPower'>
  faults: BmcFaults
  outbox: Pick<Outbox, 'append'>
  log: Log
}

export function openNews({ ledger, machines, faults, outbox, log }: NewsParts): News {
  /** Of a kind, the latest of each node: while the ledger can't be written they don't grow. */
  const waiting = new Map<string, { node: string; what: Tell }>()

  function write(node: string, what: Tell): void {
    if ('power' in what) {
      machines.setPower(node, what.power)
      outbox.append({ kind: 'power', node, power_state: what.power })
      log.info({ node, power_state: what.power }, 'power state changed by itself')
    } else if ('fault' in what) {
      faults.add(node)
      outbox.append({ kind: 'bmc', node, answers: false, text: what.fault.slice(0, 1024) })
      log.warn({ node, error: what.fault }, 'power failure told')
    } else {
      faults.remove(node)
      outbox.append({ kind: 'bmc', node, answers: true, text: 'its BMC answers again' })
      log.info({ node }, 'end of power failure told')
    }
  }

  return {
    add(node, what) {
      const kind = 'power' in what ? 'power' : 'bmc'
      waiting.delete(`${node} ${kind}`)
      waiting.set(`${node} ${kind}`, { node, what })
    },
    flush(may) {
      if (waiting.size === 0) return
      try {
        ledger.soon(() => {
          for (const { node, what } of waiting.values()) if (may(node)) write(node, what)
        })
        waiting.clear()
      } catch (error) {
        log.error({ error: sentence(error), waiting: waiting.size }, 'power states could not be written; trying again')
      }
    },
  }
}
