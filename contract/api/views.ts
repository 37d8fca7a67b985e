import type { Appliance, Image, Node, Port } from '../resources.ts'
import { isSealed, isSecretKey, MASK } from '../seal.ts'
import { fieldSince } from './matrix.ts'
import { exists } from './versions.ts'

/** Resources as the API shows them: links added, secrets masked, fields that are newer than the request's version left out. Pure. */

export interface Link {
  rel: string
  href: string
}

type Hidden =
  | 'version'
  | 'generation'
  | 'operation'
  | 'power_operation'
  | 'keeper'
  | 'counted_as'
  | 'deadline'
  | 'config_drive'
  | 'boot_device'

/** What the newest version shows. Of an older version or a selection of fields, some are absent. */
export interface NodeView extends Omit<Node, Hidden | 'provision_state'> {
  provision_state: Node['provision_state'] | null
  reservation: string | null
  conductor: string | null
  links: Link[]
  ports: Link[]
  states: Link[]
  portgroups: Link[]
  volume: Link[]
  /** Only for those who ask with `X-Bloomery: 1`. */
  operation?: Node['operation']
}
export type PortView = Omit<Port, 'version'> & { links: Link[] }
export interface ConductorView {
  hostname: string
  conductor_group: string
  alive: boolean
  drivers?: string[]
  created_at?: string
  updated_at?: string | null
  /** Ours, shown to who names it. Null: from before certificates were renewed. */
  certificate_expires_at?: string | null
  links: Link[]
}
export interface DriverView {
  name: string
  type: 'dynamic'
  hosts: string[]
  links: Link[]
  properties: Link[]
  [defaultsAndEnabled: string]: unknown
}
/** `used_by_nodes`: how many name it, where one image is asked for; of more than a thousand, a thousand. */
export type ImageView = Omit<Image, 'version'> & { used_by_nodes?: number }
export interface Uploaded {
  image: ImageView
  upload: { url: string; headers: Record<string, string> }
}

export interface Showing {
  minor: number
  /** Scheme and host before /v1. */
  base: string
}

/** Who has the node in hand: names of appliances. */
export interface Holders {
  reservation: string | null
  conductor: string | null
}

export const nodeListFields = ['instance_uuid', 'maintenance', 'power_state', 'provision_state', 'uuid', 'name']
export const portListFields = ['uuid', 'address']

const ours: ReadonlySet<string> = new Set<Hidden>([
  'version',
  'generation',
  'operation',
  'power_operation',
  'keeper',
  'counted_as',
  'deadline',
  'config_drive',
  'boot_device',
])

/** `only`: the fields that are wanted, where not all are: of a long list it saves most of the work. */
export function nodeView(
  node: Node,
  holders: Holders,
  showing: Showing,
  only?: readonly string[],
): Record<string, unknown> {
  const shown: Record<string, unknown> = {}
  for (const key of only ?? Object.keys(node))
    if (!ours.has(key) && Object.hasOwn(node, key)) shown[key] = node[key as keyof Node]
  for (const key of only ? ['links', ...only] : Object.keys(made))
    if (Object.hasOwn(made, key)) shown[key] = made[key as keyof typeof made](node, showing, holders)
  return visible(shown, fieldSince.nodes, showing.minor)
}

/** Of a long list: these fields of each, none of which is secret, and its links. */
export function briefView(
  node: Pick<Node, 'uuid'> & Partial<Node>,
  showing: Showing,
  fields: readonly string[],
): Record<string, unknown> {
  const shown: Record<string, unknown> = {}
  for (const field of fields) {
    const value = node[field as keyof Node]
    if (value === undefined || !exists(fieldSince.nodes, field, showing.minor)) continue
    shown[field] = field === 'provision_state' ? stateFor(value as Node['provision_state'], showing.minor) : value
  }
  shown['links'] = links(showing, `nodes/${node.uuid}`)
  return shown
}

/** What is shown otherwise than it is stored. */
const made = {
  driver_info: (node) => maskSecrets(node.driver_info),
  driver_internal_info: (node) => maskSecrets(node.driver_internal_info),
  instance_info: (node) => shownInstanceInfo(node),
  provision_state: (node, { minor }) => stateFor(node.provision_state, minor),
  reservation: (_, __, { reservation }) => reservation,
  conductor: (_, __, { conductor }) => conductor,
  created_at: ({ created_at }) => timeText(created_at),
  updated_at: ({ updated_at }) => timeText(updated_at),
  provision_updated_at: ({ provision_updated_at: time }) => timeText(time),
  inspection_started_at: ({ inspection_started_at: time }) => timeText(time),
  inspection_finished_at: ({ inspection_finished_at: time }) => timeText(time),
  links: ({ uuid }, showing) => links(showing, `nodes/${uuid}`),
  ports: ({ uuid }, showing) => links(showing, `nodes/${uuid}/ports`),
  states: ({ uuid }, showing) => links(showing, `nodes/${uuid}/states`),
  portgroups: ({ uuid }, showing) => links(showing, `nodes/${uuid}/portgroups`),
  volume: ({ uuid }, showing) => links(showing, `nodes/${uuid}/volume`),
} as const satisfies Record<string, (node: Node, showing: Showing, holders: Holders) => unknown>

/** As Ironic writes times: with its offset from UTC. Microseconds, since clients parse three or six digits and not all of them three. */
export function timeText<T extends string | null>(time: T): T {
  return (time?.endsWith('Z') ? `${time.slice(0, -1).padEnd(23, '.000').slice(0, 23)}000+00:00` : time) as T
}

/** `available` was null once, and `inspect wait` was shown as `inspecting`. */
export function stateFor(state: Node['provision_state'], minor: number): Node['provision_state'] | null {
  if (state === 'available' && minor < 2) return null
  if (state === 'inspect wait' && minor < 39) return 'inspecting'
  return state
}

export function conductorView(appliance: Appliance, alive: boolean, drivers: string[], showing: Showing) {
  return {
    hostname: appliance.name,
    conductor_group: appliance.site,
    alive,
    drivers,
    created_at: timeText(appliance.created_at),
    updated_at: timeText(appliance.last_seen),
    certificate_expires_at: timeText(appliance.certificate_expires_at ?? null),
    links: links(showing, `conductors/${appliance.name}`),
  }
}

export function links({ base }: Showing, path: string): Link[] {
  return [
    { rel: 'self', href: `${base}/v1/${path}` },
    { rel: 'bookmark', href: `${base}/${path}` },
  ]
}

/** Only these fields and the links. */
export function pick(view: Record<string, unknown>, fields: readonly string[]): Record<string, unknown> {
  const kept = Object.entries(view).filter(([key]) => key === 'links' || fields.includes(key))
  return Object.fromEntries(kept)
}

/** Every value whose key names a secret, and every sealed one, at any depth. */
export function maskSecrets(of: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(of).map(([key, value]) => [key, masked(key, value)]))
}

/** A config drive is kept beside instance_info, and shown in it. */
export function shownInstanceInfo({ instance_info: info, config_drive: drive }: Node): Record<string, unknown> {
  return maskInstance(drive === null ? info : { ...info, configdrive: drive })
}

export function maskInstance(info: Record<string, unknown>): Record<string, unknown> {
  const shown = maskSecrets(info)
  for (const key of ['configdrive', 'image_url']) if (key in shown) shown[key] = MASK
  return shown
}

function masked(key: string, value: unknown): unknown {
  if (isSealed(value) || (isSecretKey(key) && value !== null && value !== '')) return MASK
  if (Array.isArray(value)) return value.map((each) => masked(key, each))
  if (typeof value === 'object' && value !== null) return maskSecrets(value as Record<string, unknown>)
  return value
}

/** Without the fields that are newer than the request. */
export function visible(view: Record<string, unknown>, since: Readonly<Record<string, number>>, minor: number) {
  const seen: Record<string, unknown> = {}
  for (const key of Object.keys(view)) if (exists(since, key, minor)) seen[key] = view[key]
  return seen
}
