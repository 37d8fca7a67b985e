import type { Table } from '../platform.ts'
import { type FreeNode, freeNodes } from '../store/free-nodes.ts'
import { spread } from '../store/spread.ts'
import { costOf, fits, wantedBy, type Wish } from './schedule.ts'
import { standingOf } from './standing.ts'

/** Nodes that fit, the best first. Among those that are equally good chance decides, by `seed`: who asks at the same moment is offered another. */
export async function* offers(table: Table, wish: Wish, seed: string): AsyncGenerator<FreeNode> {
  const [resourceClass] = wantedBy(wish.flavor).classes
  const prefix = resourceClass === undefined ? '' : `${resourceClass}#`
  const { kinds, named } = await standingOf(table, wish, siteOf(wish), prefix)
  const suitable = [
    ...kinds
      .filter(({ model }) => fits(model, wish))
      .map(({ site, kind, nodes, model }) => ({
        cost: costOf(model, wish),
        turn: turnOf(`${seed} ${site} ${kind}`, nodes),
        nodes: freeNodes(table, site, kind, seed),
      })),
    ...named
      .filter((node) => fits(node, wish))
      .map((node) => ({ cost: costOf(node, wish), turn: turnOf(`${seed} ${node.uuid}`, 1), nodes: [node] })),
  ]
  // A named one comes with those that are like it, too: nothing is made worse by offering it twice.
  for (const { nodes } of suitable.toSorted((a, b) => a.cost - b.cost || a.turn - b.turn))
    for await (const node of nodes) if (fits(node, wish)) yield node
}

/** The more there are, the sooner it is their turn: the first is any of all nodes with the same chance. */
const turnOf = (text: string, nodes: number): number => -Math.log((spread(text) + 1) / 2 ** 32) / nodes

/** All that fits is there. */
function siteOf({ zone, group }: Wish): string | null {
  if (zone !== null && 'site' in zone) return zone.site
  return group?.policy === 'affinity' ? (group.places[0]?.split('/')[0] ?? null) : null
}
