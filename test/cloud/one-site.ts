import { afterEach, beforeEach } from 'vitest'
import { type ControlPlane, openControlPlane, withSite } from './control-plane.ts'
import { PaperSite } from './paper-site.ts'

/** A test file that imports this gets, for each of its tests, a fresh cloud with one site on paper. */
export let cloud: ControlPlane
export let site: PaperSite
export let privateKey: string
const sha256 = 'a'.repeat(64)
export const image = { image_source: 'http://images.test/i.raw', image_checksum: sha256 }

beforeEach(async () => {
  cloud = await openControlPlane()
  const joined = await withSite(cloud)
  site = new PaperSite(cloud, joined.appliance)
  privateKey = joined.key.privateKey
})
afterEach(() => cloud[Symbol.asyncDispose]())

export async function newNode(more: Record<string, unknown> = {}): Promise<string> {
  const driver_info = { ipmi_address: '192.0.2.1', ipmi_username: 'admin', ipmi_password: 'pa55' }
  const { uuid } = await cloud.client.nodes.create({ name: 'n1', driver: 'ipmi', driver_info, ...more })
  await cloud.client.ports.create({ node_uuid: uuid, address: '52:54:00:AA:00:01' })
  return uuid
}

export async function provision(node: string, verb: Parameters<typeof cloud.client.nodes.provision>[1], more = {}) {
  await cloud.client.nodes.provision(node, verb, more)
  await cloud.settle()
}

export async function available(): Promise<string> {
  const node = await newNode()
  await provision(node, 'manage')
  await site.carryOut(node)
  await provision(node, 'provide')
  await site.carryOut(node)
  return node
}

export const states = async (node: string) => {
  const { provision_state, target_provision_state, last_error } = await cloud.client.nodes.get(node)
  return { provision_state, target_provision_state, last_error }
}
