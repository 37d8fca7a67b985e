import { type JsonObject, listAt, textAt } from '../json.ts'
import { Refusal } from './machine.ts'
import type { Route } from './route.ts'
import { managerPath, type State } from './state.ts'
import { begin } from './tasks.ts'

/** An iDRAC's server configuration profiles, of which its BIOS is simulated. */

const MS = 500
const BIOS = 'BIOS.Setup.1-1'
const NAMES = ['ExportSystemConfiguration', 'ImportSystemConfiguration'] as const

const targetOf = (state: State, name: string): string => `${managerPath(state)}/Actions/Oem/EID_674_Manager.${name}`

export function configurationActions(state: State): JsonObject {
  if (state.dialect.name !== 'dell') return {}
  return {
    Oem: Object.fromEntries(
      NAMES.map((name) => [`#OemManager.v1_3_0#OemManager.${name}`, { target: targetOf(state, name) }]),
    ),
  }
}

export function configurationRoutes(state: State): Route[] {
  if (state.dialect.name !== 'dell') return []
  return [
    {
      path: targetOf(state, 'ExportSystemConfiguration'),
      post: ({ body }) => {
        if (textAt(body, 'ExportFormat') !== 'JSON')
          throw new Refusal(400, 'ActionParameterMissing', ['ExportSystemConfiguration', 'ExportFormat'])
        return begin(state, 'Export: Server Configuration Profile', MS, () => ({ body: profileOf(state) }))
      },
    },
    {
      path: targetOf(state, 'ImportSystemConfiguration'),
      post: ({ body }) => {
        const wanted = attributesIn(body)
        return begin(state, 'Import: Server Configuration Profile', MS, () => ({ messages: apply(state, wanted) }))
      },
    },
  ]
}

function profileOf({ bios, machine }: State): JsonObject {
  const Attributes = Object.entries(bios.attributes).map(([Name, value]) => ({
    Name,
    Value: String(value),
    'Set On Import': 'True',
    Comment: 'Read and Write',
  }))
  return {
    SystemConfiguration: {
      Model: 'Simulated server',
      ServiceTag: machine.facts.serial ?? machine.facts.name,
      Components: [{ FQDD: BIOS, Attributes }],
    },
  }
}

function attributesIn(body: JsonObject): Map<string, string> {
  let profile: unknown
  try {
    profile = JSON.parse(bufferIn(body))
  } catch {
    throw new Refusal(400, 'PropertyValueFormatError', ['ImportBuffer'])
  }
  const components = listAt(profile, 'SystemConfiguration', 'Components')
  const bios = components.find((each) => textAt(each, 'FQDD') === BIOS)
  return new Map(
    listAt(bios, 'Attributes').map((each) => [textAt(each, 'Name') ?? '', textAt(each, 'Value') ?? ''] as const),
  )
}

/** Longer than any other text. */
function bufferIn(body: JsonObject): string {
  const buffer = body['ImportBuffer']
  if (typeof buffer !== 'string') throw new Refusal(400, 'ActionParameterMissing', ['ImportSystemConfiguration'])
  return buffer
}

/** What it has no attribute for is left out, and said. */
function apply({ bios: { attributes } }: State, wanted: ReadonlyMap<string, string>): JsonObject[] {
  const unknown = [...wanted.keys()].filter((name) => !Object.hasOwn(attributes, name))
  for (const [name, value] of wanted)
    if (Object.hasOwn(attributes, name)) attributes[name] = likeBefore(attributes[name], value)
  if (unknown.length === 0)
    return [{ MessageId: 'IDRAC.2.8.SYS053', Message: 'Successfully imported and applied.', Severity: 'OK' }]
  const Message = `Import completed with errors: no attribute ${unknown.join(', ')}.`
  return [{ MessageId: 'IDRAC.2.8.SYS055', Message }]
}

function likeBefore(before: unknown, value: string): unknown {
  if (typeof before === 'number') return Number(value)
  return typeof before === 'boolean' ? value === 'true' : value
}
