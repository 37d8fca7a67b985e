import type { Reply } from './exchange.ts'

/** What two replies differ in, as sentences. What only the moment or the machine decides is made equal first. */

const unlike = new Set(['date', 'connection', 'content-length', 'transfer-encoding', 'keep-alive', 'server'])
/** Of these headers the value is compared too. */
const valued = new Set(['location', 'content-type', 'allow', 'x-openstack-ironic-api-version'])
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?\+00:00$/
const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g
const hosts = new Set(['127.0.0.1', 'conductor-1'])

export function differences(ours: Reply, theirs: Reply, known: ReadonlySet<string>): string[] {
  const status = ours.status === theirs.status ? [] : [`status ${ours.status}, Ironic ${theirs.status}`]
  return [...status, ...ofHeaders(ours, theirs), ...ofBodies(content(ours, known), content(theirs, known), '')]
}

function ofHeaders({ headers: ours }: Reply, { headers: theirs }: Reply): string[] {
  const names = [...new Set([...Object.keys(ours), ...Object.keys(theirs)])].filter((name) => !unlike.has(name))
  return names.flatMap((name) => {
    if (ours[name] === undefined) return [`header ${name} missing`]
    if (theirs[name] === undefined) return [`header ${name} added`]
    const [a, b] = [path(ours[name]), path(theirs[name])]
    return valued.has(name) && a !== b ? [`header ${name} ${a}, Ironic ${b}`] : []
  })
}

const path = (value: string): string => value.replace(/^https?:\/\/[^/]+/, '').replaceAll(UUID, '<uuid>')

/** A body as a value: JSON decoded, the second layer of errors too, and cleared of what is of the moment. */
function content({ body, headers }: Reply, known: ReadonlySet<string>): unknown {
  if (body === '') return '<nothing>'
  if (!headers['content-type']?.includes('json')) return body.slice(0, 200)
  const value: unknown = JSON.parse(body, (key, each: unknown) => cleared(key, each, known))
  return value
}

function cleared(key: string, value: unknown, known: ReadonlySet<string>): unknown {
  if (typeof value !== 'string') return value
  if (key === 'error_message') return inner(value, known)
  if (TIME.test(value)) return '<time>'
  if (hosts.has(value)) return '<host>'
  return value
    .replace(/^https?:\/\/(localhost|127\.0\.0\.1):\d+/, '<base>')
    .replaceAll(UUID, (uuid) => (known.has(uuid) ? uuid : '<uuid>'))
}

function inner(text: string, known: ReadonlySet<string>): unknown {
  try {
    return JSON.parse(text, (key, each: unknown) => cleared(key, each, known))
  } catch {
    return text
  }
}

function ofBodies(ours: unknown, theirs: unknown, at: string): string[] {
  if (Array.isArray(ours) && Array.isArray(theirs)) return ofLists(ours, theirs, at)
  if (isObject(ours) && isObject(theirs))
    return [...new Set([...Object.keys(ours), ...Object.keys(theirs)])].flatMap((key) => {
      const where = at === '' ? key : `${at}.${key}`
      if (!(key in ours)) return [`${where} missing: ${brief(theirs[key])}`]
      if (!(key in theirs)) return [`${where} added: ${brief(ours[key])}`]
      return ofBodies(ours[key], theirs[key], where)
    })
  return ours === theirs ? [] : [`${at || 'body'} ${brief(ours)}, Ironic ${brief(theirs)}`]
}

/** Lists whose items have uuids or names are compared item by item, whatever their order says besides. */
function ofLists(ours: unknown[], theirs: unknown[], at: string): string[] {
  const sizes = ours.length === theirs.length ? [] : [`${at}[] has ${ours.length}, Ironic ${theirs.length}`]
  const pairs = ours.slice(0, Math.min(ours.length, theirs.length)).map((each, index) => ofBodies(each, theirs[index], `${at}[]`))
  return [...sizes, ...new Set(pairs.flat())]
}

const brief = (value: unknown): string => {
  const text = JSON.stringify(value) ?? 'undefined'
  return text.length > 160 ? `${text.slice(0, 160)}…` : text
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
