import type { InspectionPost } from '../../contract/agent.ts'
import type { Outbox } from '../ledger/outbox.ts'
import { fitting, fittingBeside } from './inventory-size.ts'

/** Machines that no plan knows of, as their ramdisks describe them. */
export interface Discoveries {
  /** Tells the cloud, and returns what the node shall be called; undefined: too many at once, whom nobody can tell from a flood. Throws
   * HardwareError where it is more than can be told. */
  met(macs: readonly string[], post: InspectionPost): string | undefined
}

/** A ramdisk that is not answered tries again within seconds, and one that finds no node begins anew after ten minutes. */
const AGAIN_MS = 600_000
const MOST = 1024

export function openDiscoveries(outbox: Outbox, uuid: () => string, now: () => Date): Discoveries {
  const told = new Map<string, { node: string; at: number }>()
  return {
    met(macs, { inventory, ...plugin_data }) {
      const at = now().getTime()
      for (const [machine, { at: when }] of told) if (at - when >= AGAIN_MS) told.delete(machine)
      const machine = [...new Set(macs)].sort().join()
      const known = told.get(machine)
      if (known) return known.node
      if (told.size >= MOST) return undefined
      const least = fitting(inventory)
      const node = uuid()
      outbox.append({ kind: 'discovered', node, inventory: least, plugin_data: fittingBeside(least, plugin_data) })
      told.set(machine, { node, at })
      return node
    },
  }
}
