import { z } from 'zod'
import { UserError } from '../../contract/api/faults.ts'
import type { Node } from '../../contract/resources.ts'
import { customTrait, standardTraits } from './standard.ts'
import { readJson } from '../api/body.ts'
import type { Ground, Service } from '../openstack/context.ts'
import { requireAdmin } from '../openstack/rights.ts'
import type { Table } from '../platform.ts'
import { nodeList } from '../store/nodes.ts'
import { all, valuesIn } from '../store/paging.ts'
import { PATH } from './path.ts'
import { classesOf } from './provider.ts'
import { standardClasses } from './standard.ts'

/** Names of resource classes and traits: those that everybody knows, those that nodes have, and those that somebody announced. */

interface Kind {
  word: 'resource-class' | 'trait'
  standard: readonly string[]
  of(node: Node): string[]
}
const classes: Kind = { word: 'resource-class', standard: standardClasses, of: classesOf }
const traits: Kind = { word: 'trait', standard: standardTraits, of: (node) => node.traits }

const body = z.strictObject({ name: customTrait })

export function nameRoutes(app: Service, { table }: Ground): void {
  const links = (base: string, name: string) => [{ rel: 'self', href: `${base}${PATH}/resource_classes/${name}` }]
  app.get(`${PATH}/resource_classes`, async (call) => {
    requireAdmin(call, 'placement:resource_classes:list')
    const found = [...new Set([...standardClasses, ...(await customNames(table, classes))])]
    return call.json({ resource_classes: found.map((name) => ({ name, links: links(call.var.base, name) })) })
  })
  app.get(`${PATH}/resource_classes/:name`, async (call) => {
    requireAdmin(call, 'placement:resource_classes:show')
    const name = call.req.param('name')
    await requireKnown(table, classes, name)
    return call.json({ name, links: links(call.var.base, name) })
  })
  app.post(`${PATH}/resource_classes`, async (call) => {
    requireAdmin(call, 'placement:resource_classes:create')
    const { name } = body.parse(await readJson(call))
    if (!(await announce(table, classes, name)))
      throw new UserError(409, `Conflicting resource class already exists: ${name}`)
    call.header('location', `${call.var.base}${PATH}/resource_classes/${name}`)
    return call.body(null, 201)
  })
  app.get(`${PATH}/traits`, async (call) => {
    requireAdmin(call, 'placement:traits:list')
    const { name, associated } = call.req.query()
    const used = await usedNames(table, traits)
    const known = [...new Set([...standardTraits, ...(await customNames(table, traits, used))])]
    const wanted = (each: string): boolean =>
      (associated === undefined || used.has(each) === (associated.toLowerCase() === 'true')) && isNamed(each, name)
    return call.json({ traits: known.filter(wanted) })
  })
  app.get(`${PATH}/traits/:name`, async (call) => {
    requireAdmin(call, 'placement:traits:show')
    await requireKnown(table, traits, call.req.param('name'))
    return call.body(null, 204)
  })
  for (const [segment, kind] of [
    ['resource_classes', classes],
    ['traits', traits],
  ] as const) {
    app.put(`${PATH}/${segment}/:name`, async (call) => {
      requireAdmin(call, `placement:${segment}:update`)
      const name = customTrait.parse(call.req.param('name'))
      call.header('location', `${call.var.base}${PATH}/${segment}/${name}`)
      return call.body(null, (await announce(table, kind, name)) ? 201 : 204)
    })
    app.delete(`${PATH}/${segment}/:name`, async (call) => {
      requireAdmin(call, `placement:${segment}:delete`)
      const name = call.req.param('name')
      if (kind.standard.includes(name)) throw new UserError(400, `Cannot delete standard ${kind.word} ${name}.`)
      await requireKnown(table, kind, name)
      if ((await usedNames(table, kind)).has(name))
        throw new UserError(409, `The ${kind.word} ${name} is in use by nodes: take it from them first.`)
      await table.write([{ delete: keyOf(kind, name) }])
      return call.body(null, 204)
    })
  }
}

function isNamed(own: string, asked: string | undefined): boolean {
  if (asked === undefined) return true
  if (asked.startsWith('in:')) return asked.slice(3).split(',').includes(own)
  if (asked.startsWith('startswith:')) return own.startsWith(asked.slice('startswith:'.length))
  throw new UserError(400, 'Badly formatted name parameter: in:A,B and startswith:A are understood.')
}

const keyOf = ({ word }: Kind, name: string) => ({ pk: `announced#${word}`, sk: name })

/** False: it was known. */
async function announce(table: Table, kind: Kind, name: string): Promise<boolean> {
  if (await table.get(keyOf(kind, name))) return false
  const isUsed = (await usedNames(table, kind)).has(name)
  await table.write([{ put: { ...keyOf(kind, name), version: 1, value: { name } } }])
  return !isUsed
}

async function usedNames(table: Table, { of }: Kind): Promise<Set<string>> {
  const names = new Set<string>()
  for await (const node of valuesIn<Node>(table, nodeList({}))) for (const name of of(node)) names.add(name)
  return names
}

async function customNames(table: Table, kind: Kind, used?: Set<string>): Promise<string[]> {
  const announced = await all<{ name: string }>(table, { pk: `announced#${kind.word}` })
  return [...new Set([...announced.map(({ name }) => name), ...(used ?? (await usedNames(table, kind)))])].sort()
}

async function requireKnown(table: Table, kind: Kind, name: string): Promise<void> {
  if (kind.standard.includes(name) || (await table.get(keyOf(kind, name)))) return
  if (!(await usedNames(table, kind)).has(name)) throw new UserError(404, `No such ${kind.word}: ${name.slice(0, 255)}`)
}
