import type { Redfish, Resource } from './client.ts'
import { NotOffered } from './error.ts'
import { booleanAt, linkAt, linksAt, textAt } from './json.ts'
import { members } from './collection.ts'
import { readSystem, type System } from './system.ts'

export type IndicatorComponent = 'system' | 'chassis' | 'disk'
export type IndicatorState = 'on' | 'off' | 'blinking' | 'unknown'

export interface Indicator {
  component: IndicatorComponent
  /** The resource's UUID, else its Id. */
  name: string
  states: readonly IndicatorState[]
  state: IndicatorState
}

/** Most drives in one machine whose lights are asked for. */
const MOST_DRIVES = 64

const words: Readonly<Record<string, IndicatorState>> = { Lit: 'on', Blinking: 'blinking', Off: 'off' }

export async function readIndicators(bmc: Redfish, system: System): Promise<Indicator[]> {
  const found = await lightsOf(bmc, system, 'read indicators')
  return found.map(({ component, name, resource }) => ({ component, name, ...stateOf(resource) }))
}

export async function setIndicator(
  bmc: Redfish,
  system: System,
  { component, name, state }: { component: string; name: string; state: IndicatorState },
): Promise<void> {
  const operation = `set indicator ${name} of ${component}`
  const found = (await lightsOf(bmc, system, operation)).find(
    (each) => each.component === component && each.name === name,
  )
  if (!found) throw new NotOffered(bmc.subject(operation), 'the machine has no such indicator')
  const { states } = stateOf(found.resource)
  if (!states.includes(state))
    throw new NotOffered(bmc.subject(operation), `it can't be ${state}; it can be ${states.join(', ')}`)
  const word = Object.keys(words).find((each) => words[each] === state)
  const body = isLocation(found.resource) ? { LocationIndicatorActive: state === 'on' } : { IndicatorLED: word }
  await bmc.change(found.resource, body, { operation })
}

interface Light {
  component: IndicatorComponent
  name: string
  resource: Resource
}

async function lightsOf(bmc: Redfish, system: System, operation: string): Promise<Light[]> {
  const own = await readSystem(bmc, system, operation)
  const found: { component: IndicatorComponent; resource: Resource }[] = [{ component: 'system', resource: own }]
  for (const path of linksAt(own.body, 'Links', 'Chassis'))
    found.push({ component: 'chassis', resource: await bmc.get(path, operation) })
  const storage = linkAt(own.body, 'Storage')
  const controllers = storage === undefined ? [] : await members(bmc, storage, operation)
  const drives = controllers.flatMap(({ body }) => linksAt(body, 'Drives')).slice(0, MOST_DRIVES)
  for (const path of drives) found.push({ component: 'disk', resource: await bmc.get(path, operation) })
  return found.flatMap(({ component, resource }) => {
    const name = textAt(resource.body, 'UUID') ?? textAt(resource.body, 'Id')
    const hasLight = isLocation(resource) || textAt(resource.body, 'IndicatorLED') !== undefined
    return hasLight && name !== undefined ? [{ component, name, resource }] : []
  })
}

/** LocationIndicatorActive took IndicatorLED's place in 2020.3; it can't blink. */
function isLocation({ body }: Resource): boolean {
  return booleanAt(body, 'LocationIndicatorActive') !== undefined
}

function stateOf(resource: Resource): Pick<Indicator, 'states' | 'state'> {
  const active = booleanAt(resource.body, 'LocationIndicatorActive')
  if (active !== undefined) return { states: ['off', 'on'], state: active ? 'on' : 'off' }
  const word = textAt(resource.body, 'IndicatorLED') ?? ''
  const state = Object.hasOwn(words, word) ? words[word]! : 'unknown'
  return { states: ['blinking', 'off', 'on'], state }
}
