import { createHash } from 'node:crypto'
import { UserError } from '../../contract/api/faults.ts'
import { parsePrefix } from '../../contract/address.ts'
import type { SecurityGroup, SecurityRule } from '../../contract/network.ts'
import { readJson } from '../api/body.ts'
import type { Call, Ground, Service } from '../openstack/context.ts'
import { asked, listFor, matches, nextLink, pageOf } from '../openstack/listing.ts'
import { isTheirs, mayChange, projectOf, requireAdmin, requireMember, seesAll } from '../openstack/rights.ts'
import { ConflictError, type Write } from '../platform.ts'
import { ruleCreation, securityGroupCreation, securityGroupUpdate } from './input.ts'
import { changed, defined, PATH } from './networks.ts'
import { securityGroupsFor, securityGroupStore } from './store.ts'
import { securityGroupView, securityRuleView } from './views.ts'

/** Security groups, kept for clients that want them: nothing at a site filters what machines send, which ports say by `port_filter`. */

const MOST_RULES = 256
const DEFAULT = 'default'

export function securityGroupRoutes(app: Service, ground: Ground): void {
  const { table, clock, ids, log } = ground
  const path = `${PATH}/security-groups`
  const rules = `${PATH}/security-group-rules`
  const changeable = async (call: Call, id: string): Promise<SecurityGroup> => {
    const group = await groupOf(call, ground, id)
    if (!mayChange(call, group)) throw new UserError(403, "Policy doesn't allow update_security_group to be performed.")
    return group
  }
  const save = async (before: SecurityGroup, changes: Partial<SecurityGroup>, also: Write[] = []) => {
    const after = { ...before, ...changes, updated_at: clock.now().toISOString(), version: before.version + 1 }
    await table.write([...securityGroupStore.writes(before, after), ...also]).catch((error: unknown) => {
      throw error instanceof ConflictError ? changed('Security group', before.uuid) : error
    })
    return after
  }
  const page = async (call: Call) => {
    const { project } = call.var.caller
    if (project) await ensureDefault(ground, project.id)
    const query = asked(call)
    const sees = (group: SecurityGroup): boolean => isTheirs(call, group) || seesAll(call)
    return { query, sees, from: listFor(call, query, securityGroupsFor) }
  }
  app.get(path, async (call) => {
    const { query, sees, from } = await page(call)
    const { values, next } = await pageOf(table, securityGroupStore, query, from, sees, (group) =>
      matches(securityGroupView(group), query.filters),
    )
    const links = nextLink(call, path, next)
    const security_groups = values.map(securityGroupView)
    return call.json({ security_groups, ...(links.length > 0 ? { security_groups_links: links } : {}) })
  })
  app.post(path, async (call) => {
    requireMember(call, 'create_security_group')
    const given = securityGroupCreation.parse(await readJson(call)).security_group
    const project = given.project_id ?? given.tenant_id ?? projectOf(call)
    if (project !== call.var.caller.project?.id) requireAdmin(call, 'create_security_group for another project')
    if (given.name === DEFAULT) throw new UserError(409, 'Default security group already exists.')
    const group = newGroup(ground, ids.uuid(), project, given)
    await securityGroupStore.save(table, undefined, group)
    log.info({ group: group.uuid, project }, 'security group created')
    return call.json({ security_group: securityGroupView(group) }, 201)
  })
  app.get(`${path}/:group`, async (call) =>
    call.json({ security_group: securityGroupView(await groupOf(call, ground, call.req.param('group'))) }),
  )
  app.put(`${path}/:group`, async (call) => {
    const before = await changeable(call, call.req.param('group'))
    const given = securityGroupUpdate.parse(await readJson(call)).security_group
    if (before.name === DEFAULT && given.name !== undefined && given.name !== DEFAULT)
      throw new UserError(409, 'Updating default security group not allowed.')
    return call.json({ security_group: securityGroupView(await save(before, defined(given))) })
  })
  app.delete(`${path}/:group`, async (call) => {
    const group = await changeable(call, call.req.param('group'))
    if (group.name === DEFAULT) throw new UserError(409, 'Removing default security group not allowed.')
    const writes = [...securityGroupStore.writes(group, undefined), ...group.rules.map(({ id }) => forget(id))]
    for (let from = 0; from < writes.length; from += 100)
      await table.write(writes.slice(from, from + 100)).catch((error: unknown) => {
        throw error instanceof ConflictError ? changed('Security group', group.uuid) : error
      })
    return call.body(null, 204)
  })
  app.get(rules, async (call) => {
    const { query, sees, from } = await page(call)
    const whole = { limit: 1000, marker: undefined, filters: {} }
    const { values } = await pageOf(table, securityGroupStore, whole, from, sees)
    const all = values.flatMap((group) => group.rules.map((rule) => securityRuleView(group, rule)))
    return call.json({ security_group_rules: all.filter((each) => matches(each, query.filters)) })
  })
  app.post(rules, async (call) => {
    requireMember(call, 'create_security_group_rule')
    const given = ruleCreation.parse(await readJson(call)).security_group_rule
    const group = await changeable(call, given.security_group_id)
    const rule = checked({ ...newRule(ids.uuid(), given.direction, given.ethertype), ...defined(given.rule) })
    const same = group.rules.find((each) => JSON.stringify({ ...each, id: '' }) === JSON.stringify({ ...rule, id: '' }))
    if (same) throw new UserError(409, `Security group rule already exists. Rule id is ${same.id}.`)
    if (group.rules.length >= MOST_RULES)
      throw new UserError(409, `Security group ${group.uuid} has ${MOST_RULES} rules already, which is the most.`)
    const known = { pk: pointer(rule.id), sk: 'group', version: 1, value: { group: group.uuid } }
    await save(group, { rules: [...group.rules, rule] }, [{ put: known, expect: 'absent' }])
    return call.json({ security_group_rule: securityRuleView(group, rule) }, 201)
  })
  app.get(`${rules}/:rule`, async (call) => {
    const { group, rule } = await ruleOf(call, call.req.param('rule'))
    return call.json({ security_group_rule: securityRuleView(group, rule) })
  })
  app.delete(`${rules}/:rule`, async (call) => {
    const { group, rule } = await ruleOf(call, call.req.param('rule'))
    const before = await changeable(call, group.uuid)
    await save(before, { rules: before.rules.filter(({ id }) => id !== rule.id) }, [forget(rule.id)])
    return call.body(null, 204)
  })

  async function ruleOf(call: Call, id: string): Promise<{ group: SecurityGroup; rule: SecurityRule }> {
    const known = (await table.get({ pk: pointer(id), sk: 'group' }))?.value as { group: string } | undefined
    const group = known && (await securityGroupStore.get(table, known.group))
    const rule = group?.rules.find((each) => each.id === id)
    if (group && rule && (isTheirs(call, group) || seesAll(call))) return { group, rule }
    throw new UserError(404, `Security group rule ${id} does not exist`)
  }
}

const pointer = (rule: string): string => `security-rule#${rule}`
const forget = (rule: string): Write => ({ delete: { pk: pointer(rule), sk: 'group' } })

async function groupOf(call: Call, { table }: Pick<Ground, 'table'>, id: string): Promise<SecurityGroup> {
  const group = await securityGroupStore.get(table, id)
  if (group && (isTheirs(call, group) || seesAll(call))) return group
  throw new UserError(404, `Security group ${id} does not exist`)
}

/** Each project has one from the beginning; whoever looks first makes it. */
async function ensureDefault(ground: Ground, project: string): Promise<void> {
  const digest = createHash('sha256').update(`default security group of ${project}`).digest('hex')
  const uuid = `${digest.slice(0, 8)}-${digest.slice(8, 12)}-4${digest.slice(13, 16)}-8${digest.slice(17, 20)}-${digest.slice(20, 32)}`
  if (await securityGroupStore.get(ground.table, uuid)) return
  const group = newGroup(ground, uuid, project, { name: DEFAULT, description: 'Default security group' })
  await ground.table.write(securityGroupStore.writes(undefined, group)).catch((error: unknown) => {
    if (!(error instanceof ConflictError)) throw error
  })
}

function newGroup(
  { ids, clock }: Ground,
  uuid: string,
  project_id: string,
  { name, description, stateful }: { name: string; description?: string | undefined; stateful?: boolean | undefined },
): SecurityGroup {
  return {
    uuid,
    name,
    description: description ?? '',
    project_id,
    tags: [],
    stateful: stateful ?? true,
    rules: (['IPv4', 'IPv6'] as const).map((ethertype) => newRule(ids.uuid(), 'egress', ethertype)),
    created_at: clock.now().toISOString(),
    updated_at: null,
    version: 1,
  }
}

function newRule(id: string, direction: SecurityRule['direction'], ethertype: SecurityRule['ethertype']): SecurityRule {
  const anything = { protocol: null, port_range_min: null, port_range_max: null }
  return { id, direction, ethertype, ...anything, remote_ip_prefix: null, remote_group_id: null, description: '' }
}

function checked(rule: SecurityRule): SecurityRule {
  const { ethertype, remote_ip_prefix: prefix, remote_group_id: group, port_range_min: min, port_range_max: max } = rule
  if (prefix !== null && group !== null)
    throw new UserError(400, 'Only remote_ip_prefix or remote_group_id may be provided.')
  if (prefix !== null && parsePrefix(prefix)?.version !== (ethertype === 'IPv4' ? 4 : 6))
    throw new UserError(400, `Conflicting value ethertype ${ethertype} for CIDR ${prefix}`)
  const isIcmp = rule.protocol !== null && /icmp/.test(rule.protocol)
  if (!isIcmp && min !== null && max !== null && min > max)
    throw new UserError(400, `Invalid port range: ${min} is greater than ${max}`)
  return rule
}
