import { UserError } from '../../contract/api/faults.ts'
import { type Interfaces, resolveInterfaces } from '../../contract/hardware.ts'
import type { Node } from '../../contract/resources.ts'
import type { Platform } from '../platform.ts'
import { blankNode } from '../store/blank-node.ts'
import type { NodeCreation } from './node-input.ts'
import { sealImageSecrets, sealSecrets } from './secrets.ts'
import { sameName } from './instance-name.ts'
import { resolveSite, sealingFor } from './site-of-node.ts'

/** A new node of what a person gave. `minor`: before 1.11 nodes began as available. */
export async function newNode(platform: Platform, given: NodeCreation, minor: number): Promise<Node> {
  const { driver_info: info = {}, uuid: ownUuid, conductor_group: group = '', ...rest } = given
  const uuid = ownUuid ?? platform.ids.uuid()
  const interfaces = chosenInterfaces(given.driver, given)
  checkName('create node with', given.name, minor)
  const site = await resolveSite(platform, group)
  const to = await sealingFor(platform, uuid, site)
  return sameName<Node>(blankNode, {
    ...blankNode,
    ...rest,
    ...interfaces,
    uuid,
    conductor_group: site,
    driver_info: sealSecrets(info, {}, to),
    ...(rest.instance_info && { instance_info: sealImageSecrets(rest.instance_info, to) }),
    provision_state: minor < 11 ? 'available' : 'enroll',
    created_at: platform.clock.now().toISOString(),
  })
}

const RELAXED_NAMES = 10
const HOST_LABEL = /^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/

/** Names were names of hosts once (RFC 1123 §2.1). */
export function checkName(doing: string, name: string | null | undefined, minor: number): void {
  if (minor < RELAXED_NAMES && name && !name.split('.').every((label) => HOST_LABEL.test(label)))
    throw new UserError(400, `Cannot ${doing} invalid name '${name}'`)
}

export function chosenInterfaces(driver: string, asked: Partial<Interfaces>): Interfaces {
  const resolved = resolveInterfaces(driver, asked)
  if (typeof resolved === 'string') throw new UserError(400, resolved)
  return resolved
}
