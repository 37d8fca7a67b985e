import type { Clock } from '../clock.ts'
import { type Log, reason } from '../log.ts'
import type { Machine } from '../machine/machine.ts'
import { ApiError, type IronicClient } from './client.ts'

export interface Inspection {
  client: IronicClient
  clock: Clock
  log: Log
  machine: Machine
  /** `ipa-inspection-callback-url`. */
  url: string
}

const ATTEMPTS = 5
const INTERVAL_MS = 5000

/** Tells what the machine consists of, and returns which node that is (reference §6.9). Who can't be told may still ask by command: the
 * agent goes on. */
export async function tellFindings({ client, clock, log, machine, url }: Inspection): Promise<string | undefined> {
  const findings = await findingsOf(machine)
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    try {
      const node = await client.tell(url, findings)
      log.info('told what the machine consists of', { url, node })
      return node
    } catch (error) {
      log.error('what the machine consists of could not be told', { url, attempt, why: reason(error) })
      if (error instanceof ApiError && error.status < 500 && error.status !== 409) return undefined
      if (attempt < ATTEMPTS) await clock.sleep(INTERVAL_MS)
    }
  }
  return undefined
}

/** A machine that can't be described says so in the words of ironic-python-agent, whose server fails the inspection with them. */
async function findingsOf(machine: Machine): Promise<Record<string, unknown>> {
  const inventory = await machine.inventory()
  const collected = await machine.collected().catch((error: unknown) => ({ error: reason(error) }))
  return { inventory: withNeighbours(inventory, collected), ...collected }
}

/** What each card's neighbour says stands by the card, too. */
function withNeighbours(inventory: Record<string, unknown>, { lldp_raw: heard }: Record<string, unknown>): unknown {
  const { interfaces } = inventory
  if (heard === undefined || !Array.isArray(interfaces)) return inventory
  const neighbours = new Map(Object.entries(heard as Record<string, unknown>))
  const cards = interfaces as { name?: string }[]
  return { ...inventory, interfaces: cards.map((card) => ({ ...card, lldp: neighbours.get(card.name ?? '') ?? null })) }
}
