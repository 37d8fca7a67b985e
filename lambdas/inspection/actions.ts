import { traitName } from '../../contract/stored.ts'
import { deleteAt, extendAt, setAt, stepsOf } from './path.ts'
import { pythonText } from './template.ts'
import { RuleError } from './rule-error.ts'

type Json = Record<string, unknown>
type Args = Readonly<Json>

export type LogLevel = 'info' | 'warn' | 'error'
export interface ApiCall {
  url: string
  headers: Record<string, string>
  timeout: number
  retries: number
}

/** What actions work on. They change it in place; whoever applies them has made the copy. */
export interface Work {
  node: Json & { traits: string[] }
  ports: Json[]
  plugin_data: Json
  logged: { level: LogLevel; msg: string }[]
  calls: ApiCall[]
}

const MOST_TRAITS = 50

/** What inspection rules can do (reference §1.15): their arguments come formatted. */
export const actions: Readonly<Record<string, (args: Args, on: Work) => void>> = {
  fail: ({ msg }) => {
    throw new RuleError(pythonText(msg))
  },
  log: ({ msg, level = 'info' }, { logged }) => void logged.push({ level: levelOf(level), msg: pythonText(msg) }),
  'set-attribute': ({ path, value }, { node }) => setAt(node, attribute(path), value),
  'extend-attribute': ({ path, value, unique }, { node }) => extendAt(node, attribute(path), value, unique === true),
  'del-attribute': ({ path }, { node }) => required(deleteAt(node, attribute(path)), path),
  'set-capability': ({ name, value }, { node }) => setCapability(node, pythonText(name), pythonText(value)),
  'unset-capability': ({ name }, { node }) => setCapability(node, pythonText(name), undefined),
  'add-trait': ({ name }, { node }) => {
    const trait = traitName.safeParse(name)
    if (!trait.success) throw new RuleError(`${pythonText(name)} is not a trait`)
    const traits = [...new Set([...node.traits, trait.data])]
    if (traits.length > MOST_TRAITS) throw new RuleError(`a node may have ${MOST_TRAITS} traits`)
    node.traits = traits
  },
  'remove-trait': ({ name }, { node }) => {
    node.traits = node.traits.filter((each) => each !== name)
  },
  'set-plugin-data': ({ path, value }, on) => setAt(on.plugin_data, pythonText(path), value),
  'extend-plugin-data': ({ path, value, unique }, on) =>
    extendAt(on.plugin_data, pythonText(path), value, unique === true),
  'unset-plugin-data': ({ path }, on) => void deleteAt(on.plugin_data, pythonText(path)),
  'set-port-attribute': ({ port_id, path, value }, on) => setAt(port(on, port_id), portAttribute(path), value),
  'extend-port-attribute': ({ port_id, path, value, unique }, on) =>
    extendAt(port(on, port_id), portAttribute(path), value, unique === true),
  'del-port-attribute': ({ port_id, path }, on) => required(deleteAt(port(on, port_id), portAttribute(path)), path),
  'api-call': ({ url, headers, timeout = 5, retries = 3 }, { calls }) => {
    const target = URL.parse(pythonText(url))
    if (!target || !/^https?:$/.test(target.protocol)) throw new RuleError(`${pythonText(url)} is not an http URL`)
    const [seconds, times] = [Number(timeout), Number(retries)]
    if (!(seconds > 0) || !(times >= 0)) throw new RuleError('api-call: timeout and retries are numbers')
    calls.push({
      url: target.href,
      headers: texts(headers),
      timeout: Math.min(seconds, 10),
      retries: Math.min(times, 3),
    })
  },
}

/** What a node is known by and what the cloud does with it is no business of rules; secrets are sealed before they get here. */
const settable = new Set(
  (
    'name description driver properties extra driver_info instance_info resource_class owner lessee shard network_data ' +
    'automated_clean disable_power_off retired retired_reason'
  ).split(' '),
)
const settableOfPort = new Set(
  'name description extra local_link_connection pxe_enabled physical_network is_smartnic vendor category'.split(' '),
)

const attribute = (path: unknown): string => allowed(path, settable)
const portAttribute = (path: unknown): string => allowed(path, settableOfPort)

function allowed(path: unknown, names: ReadonlySet<string>): string {
  const [first] = stepsOf(pythonText(path))
  if (!names.has(first)) throw new RuleError(`a rule can't change ${first}: it can change ${[...names].join(', ')}`)
  return pythonText(path)
}

function required(isThere: boolean, path: unknown): void {
  if (!isThere) throw new RuleError(`there is nothing at '${pythonText(path)}' to delete`)
}

function port({ ports }: Work, id: unknown): Json {
  const found = ports.find((each) => each['uuid'] === id || each['address'] === id)
  if (!found) throw new RuleError(`port ${pythonText(id)} could not be found`)
  return found
}

/** `k1:v1,k2:v2` */
function setCapability(node: Json, name: string, value: string | undefined): void {
  const properties = (node['properties'] ?? {}) as Json
  const text = properties['capabilities']
  const others = (typeof text === 'string' ? text.split(',') : []).filter(
    (each) => each !== '' && each.split(':')[0]?.trim() !== name,
  )
  const all = value === undefined ? others : [...others, `${name}:${value}`]
  setAt(node, 'properties/capabilities', all.join(','))
}

function levelOf(level: unknown): LogLevel {
  const levels: Readonly<Record<string, LogLevel>> = {
    debug: 'info',
    info: 'info',
    warning: 'warn',
    error: 'error',
    critical: 'error',
  }
  const name = String(level).toLowerCase()
  const found = Object.hasOwn(levels, name) ? levels[name] : undefined
  if (!found) throw new RuleError(`log: level ${name} is none of ${Object.keys(levels).join(', ')}`)
  return found
}

function texts(headers: unknown): Record<string, string> {
  if (typeof headers !== 'object' || headers === null) return {}
  return Object.fromEntries(Object.entries(headers).map(([key, value]) => [key, pythonText(value)]))
}
