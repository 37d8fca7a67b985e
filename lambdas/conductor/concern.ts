import type { Node } from '../../contract/resources.ts'
import type { Change } from '../platform.ts'
import { isNewsToServer } from '../compute/node-facts.ts'
import { applianceOfCommand } from '../store/commands.ts'
import { isFreeNodeKey } from '../store/free-nodes.ts'
import { pendingLane } from './plan.ts'

/** Pointers and counters: what they are for is told by other items. */
const silent = ['name', 'instance', 'unique', 'appliance', 'commands', 'reports']

/** False: `onChange` would do nothing about it, so that a feed of our own need not carry it. What isn't known here is of concern. */
export function isOfConcern({ key, before, after }: Change): boolean {
  if (key.sk === 'node' && key.pk.startsWith('node#'))
    return nodeConcerns(before?.value as Node | undefined, after?.value as Node | undefined)
  if (applianceOfCommand(key) !== undefined) return after !== undefined && before === undefined
  return !silent.includes(key.sk) && !isFreeNodeKey(key)
}

function nodeConcerns(before: Node | undefined, after: Node | undefined): boolean {
  if (!after || pendingLane(after) !== undefined || isNewsToServer(before, after)) return true
  if (!before) return false
  const { config_drive: drive, operation } = before
  return (
    (drive !== null && drive !== after.config_drive) || (operation !== null && operation.plan !== after.operation?.plan)
  )
}
