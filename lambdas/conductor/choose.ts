import { createHash } from 'node:crypto'
import type { Appliance, Node } from '../../contract/resources.ts'
import { isSealed, RESCUE_PASSWORD } from '../../contract/seal.ts'
import { isAlive } from '../store/appliances.ts'

/** Which appliance of its site gets a node's next plan: by rendezvous hashing, so that nodes spread evenly and only those of an appliance
 * that comes or goes move. Those alive and able to open the node's secrets come first; with none alive the command waits for one. */
export function chooseAppliance(node: Node, ofSite: Appliance[], now: Date): Appliance | undefined {
  const able = ofSite.filter((each) => opensSecrets(node, each.uuid))
  const alive = able.filter((each) => isAlive(each, now))
  const pool = [alive, able, ofSite].find((each) => each.length > 0) ?? []
  if (pool.length === 1) return pool[0]
  return pool
    .map((appliance) => ({ appliance, weight: weight(appliance.uuid, node.uuid) }))
    .sort((a, b) => (a.weight < b.weight ? 1 : -1))[0]?.appliance
}

/** Where an operation of it is carried out. */
export function inHand({ operation, power_operation }: Node): string | undefined {
  return (operation ?? power_operation)?.appliance
}

/** Who is to get a plan: one machine is not for two at once, while the one that has it is alive. */
export function planAppliance(node: Node, ofSite: Appliance[], now: Date): Appliance | undefined {
  const busy = ofSite.find(({ uuid }) => uuid === inHand(node))
  return busy && isAlive(busy, now) ? busy : chooseAppliance(node, ofSite, now)
}

/** Who has a node in hand now: whoever carries out its operation, else its keeper while that is alive, else who would get its next plan. */
export function keeperOf(node: Node, ofSite: Appliance[], now: Date): Appliance | undefined {
  const busy = ofSite.find(({ uuid }) => uuid === inHand(node))
  if (busy) return busy
  const keeper = ofSite.find(({ uuid }) => uuid === node.keeper)
  if (keeper && isAlive(keeper, now) && opensSecrets(node, keeper.uuid)) return keeper
  return chooseAppliance(node, ofSite, now)
}

function weight(appliance: string, node: string): string {
  return createHash('sha256').update(`${appliance} ${node}`).digest('hex')
}

function opensSecrets(node: Node, appliance: string): boolean {
  return [...Object.values(node.driver_info), node.instance_info[RESCUE_PASSWORD]].every(
    (value) => !isSealed(value) || Object.hasOwn(value.$sealed.to, appliance),
  )
}
