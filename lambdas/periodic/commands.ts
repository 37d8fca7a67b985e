import { publish } from '../conductor/publish.ts'
import { ConflictError, type Item, type Platform } from '../platform.ts'
import { getAppliance, isAlive } from '../store/appliances.ts'
import { applianceOfCommand, commandItem, COMMANDS_DUE, type StoredCommand } from '../store/commands.ts'
import { dueItems } from './due.ts'

/** Commands that were published and not acknowledged in time are published again to an appliance that is alive. One that isn't says
 * hello when it returns, and gets them then; until that they are no longer due. */
export async function republishCommands(platform: Platform): Promise<void> {
  const overdue = new Map<string, Item[]>()
  for await (const item of dueItems(platform.table, COMMANDS_DUE, platform.clock.now())) {
    const appliance = applianceOfCommand(item)
    if (appliance) overdue.set(appliance, [...(overdue.get(appliance) ?? []), item])
  }
  for (const [uuid, items] of overdue) {
    const appliance = await getAppliance(platform.table, uuid)
    if (appliance && isAlive(appliance, platform.clock.now())) {
      await publish(platform, uuid, items.map(({ value }) => value as StoredCommand).sort(bySequence))
    } else for (const item of items) await shelve(platform, uuid, item)
  }
}

const bySequence = (a: StoredCommand, b: StoredCommand): number => a.command.seq - b.command.seq

async function shelve({ table }: Platform, appliance: string, item: Item): Promise<void> {
  const put = commandItem(appliance, item.value as StoredCommand, item.version + 1)
  try {
    await table.write([{ put, expect: item.version }])
  } catch (error) {
    if (!(error instanceof ConflictError)) throw error // acknowledged or published meanwhile
  }
}
