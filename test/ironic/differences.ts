import type { Reply } from './exchange.ts'

/** What two replies differ in, as sentences. What only the moment or the machine decides is made equal first. */

const unlike = new Set(['date', 'connection', 'content-length', 'transfer-encoding', 'keep-alive', 'server'])
/** Of these headers the value is compared too. */
const valued = new Set(['location', 'content-type', 'allow', 'x-openstack-ironic-api-version'])
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?\+00:00$/
const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g
const hosts = new Set(['127.0.0.1', 'conductor-1'])

export function differences(ours: Reply, theirs: Reply, known: ReadonlySet<string>): string[] {
  const [a, b] = [content(ours, known), content(theirs, known)]
  if (ours.status !== theirs.status) return [`status ${told(ours, a)}, Ironic ${told(theirs, b)}`]
  return [...ofHeaders(ours, theirs), ...ofBodies(a, b, '')]
}

/** A status, and what an error says; of a success the body would say nothing about why it is one. */
function told({ status }: Reply, body: unknown): string {
  if (status < 400 || !isObject(body)) return String(status)
  const inner = isObject(body['error_message']) ? body['error_message'] : body
  const text = inner['faultstring'] ?? inner['description']
  return `${status} (${typeof text === 'string' ? text : brief(inner)})`
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
  return alike(ours, theirs, at) ? [] : [`${at || 'body'} ${brief(ours)}, Ironic ${brief(theirs)}`]
}

/** A sentence that says the same, and then more, says the same. */
function alike(ours: unknown, theirs: unknown, at: string): boolean {
  if (ours === theirs) return true
  const isSentence = at.endsWith('faultstring') || at.endsWith('description')
  return isSentence && typeof ours === 'string' && typeof theirs === 'string' && ours.startsWith(theirs)
}

/** Items that have a name of their own are compared with their like, others by their place. */
function ofLists(ours: unknown[], theirs: unknown[], at: string): string[] {
  const keys = [...new Set([...ours.map(keyOf), ...theirs.map(keyOf)])]
  if (keys.includes(undefined)) {
    const sizes = ours.length === theirs.length ? [] : [`${at}[] has ${ours.length}, Ironic ${theirs.length}`]
    const common = ours.slice(0, Math.min(ours.length, theirs.length))
    return [...sizes, ...new Set(common.flatMap((each, index) => ofBodies(each, theirs[index], `${at}[]`)))]
  }
  const order = ours.map(keyOf).filter((key) => theirs.some((each) => keyOf(each) === key))
  const theirOrder = theirs.map(keyOf).filter((key) => order.includes(key))
  const disorder =
    order.join() === theirOrder.join() ? [] : [`${at}[] is ordered ${brief(order)}, Ironic ${brief(theirOrder)}`]
  const each = keys.flatMap((key) => {
    const [a, b] = [ours.find((one) => keyOf(one) === key), theirs.find((one) => keyOf(one) === key)]
    if (a === undefined) return [`${at}[] lacks ${key}`]
    if (b === undefined) return [`${at}[] has ${key} too`]
    return ofBodies(a, b, `${at}[]`)
  })
  return [...disorder, ...new Set(each)]
}

function keyOf(item: unknown): string | undefined {
  if (!isObject(item)) return undefined
  const key = [item['uuid'], item['name'], item['hostname']].find(
    (each) => typeof each === 'string' && each !== '<uuid>',
  )
  return key as string | undefined
}

const brief = (value: unknown): string => {
  const text = JSON.stringify(value) ?? 'undefined'
  return text.length > 160 ? `${text.slice(0, 160)}…` : text
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
