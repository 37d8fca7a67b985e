import type { Server } from '../../contract/compute.ts'
import type { Node } from '../../contract/resources.ts'
import { blankNode } from '../../lambdas/store/blank-node.ts'

/** Nodes and servers as the table keeps them, for who schedules many. */

const at = '2026-11-23T10:00:00.000Z'

export function paperNode(number: number, more: Partial<Node> = {}): Node {
  return {
    ...blankNode,
    uuid: uuidOf('0', number),
    name: `n-${number}`,
    driver: 'fake-hardware',
    conductor_group: 'site-0',
    resource_class: 'metal',
    power_state: 'power off',
    provision_state: 'available',
    created_at: at,
    ...more,
  }
}

export function paperServer(number: number, more: Partial<Server> = {}): Server {
  return {
    uuid: uuidOf('f', number),
    name: `s-${number}`,
    description: null,
    project_id: 'project',
    user_id: 'user',
    flavor: {
      uuid: 'f',
      name: 'f',
      vcpus: 1,
      ram: 1,
      disk: 1,
      ephemeral: 0,
      swap: 0,
      extra_specs: { 'resources:CUSTOM_METAL': '1' },
    },
    image: 'image',
    key: null,
    metadata: {},
    user_data: null,
    nics: [],
    availability_zone: null,
    state: 'building',
    task: 'scheduling',
    node: null,
    site: null,
    power: null,
    fault: null,
    tried: [],
    locked: false,
    launched_at: null,
    created_at: at,
    updated_at: null,
    version: 1,
    ...more,
  }
}

const uuidOf = (first: string, number: number): string =>
  `${first}0000000-0000-4000-8000-${number.toString(16).padStart(12, '0')}`
