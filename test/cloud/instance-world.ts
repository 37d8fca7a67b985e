import type { Node } from '../../contract/resources.ts'
import { baremetalOf } from '../../lambdas/compute/baremetal.ts'
import { changeNode } from '../../lambdas/store/change-node.ts'
import { imageItem } from '../../lambdas/store/images.ts'
import { type ControlPlane, withSite } from './control-plane.ts'
import { type KeystoneCloud, openKeystone, type Reply } from './keystone.ts'

/** A cloud with a site, an image and nodes, and a project's member who asks for servers on them. */
export class InstanceWorld implements AsyncDisposable {
  readonly stone: KeystoneCloud
  readonly cloud: ControlPlane
  readonly token: string
  readonly admin: string
  readonly image = '7e0c0c3a-0d5b-4f39-8a4e-8a9bd6f3a001'
  #macs = 0

  private constructor(stone: KeystoneCloud, token: string, admin: string) {
    this.stone = stone
    this.cloud = { ...stone.cloud, client: baremetalOf(stone.cloud.platform) }
    this.token = token
    this.admin = admin
  }

  static async open(): Promise<InstanceWorld> {
    const stone = await openKeystone()
    const world = new InstanceWorld(
      stone,
      (await stone.member('tenants', 'member')).token,
      (await stone.member('admins', 'admin')).token,
    )
    await withSite(world.cloud)
    const image = {
      uuid: world.image,
      name: 'debian',
      state: 'active' as const,
      size: 1024,
      disk_format: 'raw' as const,
    }
    const hash = { os_hash_algo: 'sha256' as const, os_hash_value: 'a'.repeat(64) }
    const stamps = { created_at: world.cloud.platform.clock.now().toISOString(), updated_at: null, version: 1 }
    await world.cloud.platform.table.write([{ put: imageItem({ ...image, ...hash, ...stamps }) }])
    return world
  }

  /** `path` begins with the service. */
  async ask(method: string, path: string, body?: unknown, as = this.token, version = 'compute 2.79'): Promise<Reply> {
    const reply = await this.cloud.request(path, {
      method,
      headers: { 'x-auth-token': as, 'openstack-api-version': version },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    await this.cloud.settle()
    const text = await reply.text()
    return { status: reply.status, headers: reply.headers, body: text === '' ? undefined : JSON.parse(text) }
  }

  /** What was made; throws unless it was. */
  async made(path: string, body: unknown, as = this.token) {
    const reply = await this.ask('POST', path, body, as)
    if (reply.status >= 300) throw new Error(`${path}: ${reply.status} ${JSON.stringify(reply.body)}`)
    return Object.values(reply.body)[0] as any // oxlint-disable-line typescript/no-explicit-any -- what a stranger's program would get
  }

  async node(name: string, more: Partial<Node> = {}, cards = 1): Promise<string> {
    const { nodes, ports } = this.cloud.client
    const driver_info = { ipmi_address: '192.0.2.1', ipmi_username: 'admin', ipmi_password: 'pa55' }
    const { uuid } = await nodes.create({
      name,
      driver: 'ipmi',
      resource_class: 'metal',
      conductor_group: 'berlin',
      rescue_interface: 'agent',
      driver_info,
    })
    for (let card = 0; card < cards; card += 1) {
      this.#macs += 1
      await ports.create({ node_uuid: uuid, address: `52:54:00:00:00:${this.#macs.toString(16).padStart(2, '0')}` })
    }
    await this.change(uuid, { provision_state: 'available', power_state: 'power off', ...more })
    return uuid
  }

  /** As if it had come to that by itself. */
  async change(uuid: string, changes: Partial<Node>): Promise<void> {
    await changeNode(this.cloud.platform, uuid, (node) => ({ node: { ...node, ...changes } }))
    await this.cloud.settle()
  }

  /** As the site's report of the plan's end would have it. */
  deployed(uuid: string): Promise<void> {
    return this.change(uuid, {
      provision_state: 'active',
      target_provision_state: null,
      power_state: 'power on',
      operation: null,
    })
  }
  tornDown(uuid: string): Promise<void> {
    const nothing = { instance_uuid: null, instance_info: {}, instance_name: null, config_drive: null, operation: null }
    return this.change(uuid, {
      provision_state: 'available',
      target_provision_state: null,
      power_state: 'power off',
      ...nothing,
    })
  }

  get(node: string): Promise<Node> {
    return this.cloud.client.nodes.get(node) as unknown as Promise<Node>
  }
  async server(id: string) {
    return (await this.ask('GET', `/compute/v2.1/servers/${id}`, undefined, this.admin)).body.server
  }
  async network(cidr = '10.0.0.0/24'): Promise<string> {
    const { id } = await this.made('/network/v2.0/networks', { network: { name: 'blue' } })
    const subnet = { network_id: id, ip_version: 4, cidr, dns_nameservers: ['9.9.9.9'] }
    await this.made('/network/v2.0/subnets', { subnet })
    return id
  }
  async flavor(extra_specs: Record<string, string> = { 'resources:CUSTOM_METAL': '1' }, id = 'm1'): Promise<string> {
    const path = '/compute/v2.1/flavors'
    await this.made(path, { flavor: { id, name: id, vcpus: 1, ram: 1024, disk: 10 } }, this.admin)
    await this.made(`${path}/${id}/os-extra_specs`, { extra_specs }, this.admin)
    return id
  }
  /** The id of a server that was asked for. */
  async asked(more: object = {}): Promise<string> {
    const server = { name: 'web', imageRef: this.image, flavorRef: 'm1', networks: 'auto', ...more }
    return (await this.made('/compute/v2.1/servers', { server })).id
  }

  [Symbol.asyncDispose](): PromiseLike<void> {
    return this.stone[Symbol.asyncDispose]()
  }
}
