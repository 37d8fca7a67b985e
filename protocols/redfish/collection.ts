import type { Redfish, Resource } from './client.ts'
import { MalformedAnswer, NotOffered, RequestRefused } from './error.ts'
import { booleanAt, linkAt, linksAt, listAt, objectOf, textAt } from './json.ts'

const MOST_PAGES = 200
const MOST_MEMBERS = 10_000
/** A BMC is a small computer. */
const AT_ONCE = 2

/** Paths of a collection's members, all pages (DSP0266 §8.5). */
export async function memberPaths(bmc: Redfish, collection: string, operation: string): Promise<string[]> {
  const pages = await pagesOf(bmc, collection, operation)
  return bounded(
    bmc,
    operation,
    pages.flatMap((page) => linksAt(page.body, 'Members')),
  )
}

/** A collection's members, in one request where the BMC can expand them. */
export async function members(bmc: Redfish, collection: string, operation: string): Promise<Resource[]> {
  const pages = await expandedPages(bmc, collection, operation)
  const found = bounded(
    bmc,
    operation,
    pages.flatMap((page) => listAt(page.body, 'Members')),
  )
  const resources: Resource[] = []
  const todo = found.map((member, index) => ({ member: objectOf(member), index }))
  const worker = async (): Promise<void> => {
    for (let next = todo.shift(); next; next = todo.shift()) {
      const path = linkAt(next.member)
      if (!next.member || path === undefined) continue
      // A link may come with its type and ETag.
      const whole = Object.keys(next.member).some((key) => !key.startsWith('@odata.'))
      resources[next.index] = whole
        ? { path, body: next.member, etag: textAt(next.member, '@odata.etag') }
        : await bmc.get(path, operation)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  return resources.filter((resource) => resource !== undefined)
}

async function expandedPages(bmc: Redfish, collection: string, operation: string): Promise<Resource[]> {
  const query = expandQuery(bmc)
  if (query === undefined) return pagesOf(bmc, collection, operation)
  try {
    return await pagesOf(bmc, `${collection}?${query}`, operation)
  } catch (error) {
    // It is offered for the service as a whole; single collections may not have it.
    if (error instanceof RequestRefused && [400, 404, 405, 412, 500, 501].includes(error.status))
      return pagesOf(bmc, collection, operation)
    throw error
  }
}

/** DSP0266 §7.3.1: what the service root says that it can do. */
function expandQuery(bmc: Redfish): string | undefined {
  const offered = ['ProtocolFeaturesSupported', 'ExpandQuery'] as const
  if (booleanAt(bmc.root.body, ...offered, 'NoLinks')) return '$expand=.'
  return booleanAt(bmc.root.body, ...offered, 'ExpandAll') ? '$expand=*' : undefined
}

async function pagesOf(bmc: Redfish, first: string, operation: string): Promise<Resource[]> {
  const pages: Resource[] = []
  const seen = new Set<string>()
  for (let path: string | undefined = first; path !== undefined;) {
    if (seen.has(path)) throw new MalformedAnswer(bmc.subject(operation), 'a collection whose pages go in circles')
    if (seen.size >= MOST_PAGES)
      throw new MalformedAnswer(bmc.subject(operation), `a collection of more than ${MOST_PAGES} pages`)
    seen.add(path)
    const page: Resource = await bmc.get(path, operation)
    pages.push(page)
    path = textAt(page.body, 'Members@odata.nextLink')
  }
  return pages
}

function bounded<T>(bmc: Redfish, operation: string, found: T[]): T[] {
  if (found.length > MOST_MEMBERS)
    throw new MalformedAnswer(bmc.subject(operation), `a collection of more than ${MOST_MEMBERS} members`)
  return found
}

/** The path that a resource refers to by this property, or an error that says that this BMC has none. */
export function required(bmc: Redfish, from: Resource, keys: readonly string[], operation: string): string {
  const path = linkAt(from.body, ...keys)
  if (path !== undefined) return path
  throw new NotOffered(bmc.subject(operation), `the BMC has no ${keys.join('/')} at ${from.path}; update its firmware`)
}
