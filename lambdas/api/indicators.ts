import { z } from 'zod'
import { UserError } from '../../contract/api/faults.ts'
import { links } from '../../contract/api/views.ts'
import { type Indicator, indicatorState } from '../../contract/hardware-facts.ts'
import { fakeIndicators } from '../../contract/management.ts'
import type { Node } from '../../contract/resources.ts'
import type { Platform } from '../platform.ts'
import { hardwareOf } from '../store/hardware.ts'
import { askBmc, nodeThatOffers } from './ask-bmc.ts'
import { readJson } from './body.ts'
import type { Api, Call } from './context.ts'

/** Lights by which people find a machine: as the site last read them (at verification, and after each change). */
export function indicatorRoutes(app: Api, platform: Platform): void {
  const path = '/v1/nodes/:ident/management/indicators'
  app.get(path, async (call) => {
    const node = await nodeThatOffers(platform, call, 'get_supported_indicators')
    const known = await indicatorsOf(platform, node)
    return call.json({ indicators: known.map((each) => view(call, node, each)) })
  })
  app.get(`${path}/:indicator`, async (call) => {
    const node = await nodeThatOffers(platform, call, 'get_indicator_state')
    return call.json({ state: find(await indicatorsOf(platform, node), call.req.param('indicator')).state })
  })
  app.put(`${path}/:indicator`, async (call) => {
    const { state } = z.strictObject({ state: indicatorState }).parse(await readJson(call))
    const node = await nodeThatOffers(platform, call, 'set_indicator_state')
    const { component, name, readonly, states } = find(await indicatorsOf(platform, node), call.req.param('indicator'))
    if (readonly || !states.includes(state))
      throw new UserError(400, `Indicator ${name}@${component} can't be set to ${state}.`)
    await askBmc(platform, call, 'set_indicator_state', {
      step: 'management.set_indicator',
      args: { component, indicator: name, state },
    })
    return call.body(null, 204)
  })
}

async function indicatorsOf({ table }: Platform, node: Node): Promise<readonly Indicator[]> {
  if (node.management_interface === 'fake') return fakeIndicators
  return (await hardwareOf(table, node.uuid)).indicators ?? []
}

function find(known: readonly Indicator[], unique: string): Indicator {
  const [name, component] = [unique.slice(0, unique.indexOf('@')), unique.slice(unique.indexOf('@') + 1)]
  if (!unique.includes('@')) throw new UserError(400, `Malformed indicator name "${unique}": it is name@component.`)
  const found = known.find((each) => each.name === name && each.component === component)
  if (found) return found
  if (!known.some((each) => each.component === component))
    throw new UserError(400, `Invalid component ${component} specified.`)
  throw new UserError(400, `Invalid indicator ${name} specified.`)
}

function view(call: Call, node: Node, { name, component, readonly, states }: Indicator): Record<string, unknown> {
  const unique = `${name}@${component}`
  const at = links(call.var.showing, `nodes/${node.uuid}/management/indicators/${unique}`)
  return { name: unique, component, readonly, states, links: at }
}
