import { randomUUID } from 'node:crypto'
import type { Volume } from '../../../contract/block-storage.ts'
import type { Network, NetworkPort, Subnet } from '../../../contract/network.ts'
import type { Server, ServerVolume } from '../../../contract/compute.ts'
import { UserError } from '../../../contract/api/faults.ts'
import { serversChanged } from '../../../lambdas/compute/changes.ts'
import { changeServer } from '../../../lambdas/compute/change-server.ts'
import { serverStore } from '../../../lambdas/compute/store.ts'
import { createPort } from '../../../lambdas/network/ports.ts'
import { networkStore, portStore, subnetStore } from '../../../lambdas/network/store.ts'
import { writeTrunk } from '../../../lambdas/network/trunk-ports.ts'
import { changeNode } from '../../../lambdas/store/change-node.ts'
import { imageItem } from '../../../lambdas/store/images.ts'
import type { Change, Platform } from '../../../lambdas/platform.ts'
import { createVolume } from '../../../lambdas/volume/create.ts'
import { Crash, World } from './world.ts'

/** What may go wrong with one process at one use of the table. */
export const faults = ['dropped', 'refused', 'overtaken', 'doubled'] as const
export interface Fault {
  kind: (typeof faults)[number]
  /** Counting the uses of the table by steps of servers, from 0. */
  use: number
}

/** Servers that are asked for, in the world of nodes, with every step of theirs in a test's hands. */
export class ServerWorld {
  readonly world = new World()
  readonly image = randomUUID()
  readonly network = randomUUID()
  /** The site's own, on which machines are cleaned. */
  readonly own = randomUUID()
  readonly nodes: string[] = []
  uses = 0

  async open(nodes: number, addresses: number): Promise<void> {
    const { world } = this
    await world.open()
    const stamps = { created_at: world.now().toISOString(), updated_at: null, version: 1 }
    const kept = { name: 'blue', description: '', project_id: 'p', tags: [], ...stamps }
    const subnet: Subnet = {
      ...kept,
      uuid: randomUUID(),
      network_uuid: this.network,
      ip_version: 4,
      cidr: '10.0.0.0/24',
      gateway_ip: '10.0.0.1',
      allocation_pools: [{ start: '10.0.0.2', end: `10.0.0.${1 + addresses}` }],
      dns_nameservers: [],
      host_routes: [],
      enable_dhcp: true,
      ipv6_ra_mode: null,
      ipv6_address_mode: null,
    }
    const network: Network = {
      ...kept,
      uuid: this.network,
      admin_state_up: true,
      shared: false,
      external: false,
      mtu: 1500,
      dns_domain: '',
      port_security_enabled: true,
      segment: { physical_network: 'default', vlan: null },
      subnets: [subnet.uuid],
      closed: false,
    }
    const image = {
      uuid: this.image,
      name: 'debian',
      state: 'active' as const,
      size: 1024,
      disk_format: 'raw' as const,
    }
    const hash = { os_hash_algo: 'sha256' as const, os_hash_value: 'a'.repeat(64) }
    const range = {
      cidr: '10.1.0.0/24',
      gateway_ip: '10.1.0.1',
      allocation_pools: [{ start: '10.1.0.2', end: '10.1.0.9' }],
    }
    const wire: Subnet = { ...subnet, ...range, uuid: randomUUID(), network_uuid: this.own }
    const own: Network = { ...network, uuid: this.own, name: 'own', subnets: [wire.uuid] }
    await world.table.write([
      ...networkStore.writes(undefined, network),
      ...subnetStore.writes(undefined, subnet),
      ...networkStore.writes(undefined, own),
      ...subnetStore.writes(undefined, wire),
      { put: imageItem({ ...image, ...hash, ...stamps }) },
    ])
    for (let index = 0; index < nodes; index += 1) {
      const wired = { network_interface: 'flat', driver_info: { cleaning_network: this.own } }
      const driver = { driver: 'fake-hardware', ...wired, resource_class: 'metal', conductor_group: 'berlin' }
      const volumes = { storage_interface: 'cinder', properties: { capabilities: 'iscsi_boot:true,boot_mode:uefi' } }
      const { body } = await world.request('POST', '/v1/nodes', { name: `n${index}`, ...driver, ...volumes })
      const uuid = String(body['uuid'])
      this.nodes.push(uuid)
      await world.request('POST', '/v1/ports', { node_uuid: uuid, address: `52:54:00:aa:00:0${index}` })
      await changeNode(world.process('set-up'), uuid, (node) => ({
        node: { ...node, provision_state: 'available', power_state: 'power off' },
      }))
    }
    await this.rest()
  }

  /** `port` and `volume`: such as somebody made for it beforehand; with the volume it has another one made, that ends with it. */
  async ask(port?: string, volume?: string): Promise<string> {
    const uuid = randomUUID()
    const flavor = { uuid: 'm', name: 'm', vcpus: 1, ram: 1024, disk: 10, ephemeral: 0, swap: 0 }
    const nic = { network: this.network, fixed_ip: null }
    const server: Server = {
      uuid,
      name: 'web',
      description: null,
      project_id: 'p',
      user_id: 'u',
      flavor: { ...flavor, extra_specs: { 'resources:CUSTOM_METAL': '1' } },
      image: this.image,
      key: null,
      metadata: {},
      user_data: null,
      ...(volume === undefined ? {} : { volumes: withAnother(volume) }),
      nics: [port === undefined ? { ...nic, port: randomUUID(), made: true } : { ...nic, port, made: false }],
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
      created_at: this.world.now().toISOString(),
      updated_at: null,
      version: 1,
    }
    await serverStore.save(this.world.process('api').table, undefined, server)
    return uuid
  }

  async makeVolume(): Promise<string> {
    const owner = { project_id: 'p', user_id: 'u', mayUse: () => true }
    return (await createVolume(this.world.process('api'), owner, { size: 1 })).uuid
  }

  async delete(uuid: string): Promise<void> {
    await changeServer(this.world.process('api'), uuid, ({ task }) =>
      task === 'deleting' ? undefined : { task: 'deleting' },
    )
  }

  async makePort(): Promise<string | undefined> {
    const given = { network_id: this.network, project_id: 'p' }
    const port = await createPort(this.world.process('api'), given).catch(refusalIsNothing)
    return port?.uuid
  }

  /** A port that carries another. */
  async makeTrunk(): Promise<string | undefined> {
    const ground = this.world.process('api')
    const parent = await this.makePort()
    const sub = await createPort(ground, { network_id: this.own, project_id: 'p' }).catch(refusalIsNothing)
    if (!parent || !sub) return parent
    const stamps = { created_at: this.world.now().toISOString(), updated_at: null, version: 1 }
    const named = { uuid: randomUUID(), name: 't', description: '', project_id: 'p', tags: [], admin_state_up: true }
    const sub_ports = [{ port_uuid: sub.uuid, vlan: 7 }]
    await writeTrunk(ground, undefined, { ...named, ...stamps, port_uuid: parent, sub_ports }).catch(refusalIsNothing)
    return parent
  }

  /** The servers of so many changes are looked at by a process that has this fault, and then, as always, by one that has none. */
  async deliver(count: number, fault?: Fault): Promise<void> {
    const changes = this.world.undeliveredChanges(count)
    if (fault) await Promise.all(this.#faulty(changes, fault))
    else await this.#looked(this.#counting('servers', undefined), changes)
    await this.world.deliver(changes.length)
  }

  #faulty(changes: Change[], fault: Fault): Array<Promise<void>> {
    const one = this.#looked(this.#counting('servers', fault), changes)
    return fault.kind === 'doubled' ? [one, this.#looked(this.world.process('another'), changes)] : [one]
  }

  async #looked(platform: Platform, changes: Change[]): Promise<void> {
    await serversChanged(platform, changes).catch(() => {}) // what a process could not do comes again
  }

  /** Another process takes this step and the next ones meanwhile. */
  async #overtake(): Promise<void> {
    for (let step = 0; step < 4; step += 1)
      await this.#looked(this.world.process('overtaker'), this.world.undeliveredChanges(1000))
  }

  #counting(label: string, fault: Fault | undefined): Platform {
    const platform = this.world.process(label)
    let dropped = false
    const use = async (): Promise<void> => {
      const isIt = fault?.use === this.uses
      this.uses += 1
      if (isIt && fault.kind === 'overtaken') await this.#overtake()
      if (isIt && fault.kind === 'refused') throw new UserError(400, 'refused for a test')
      dropped ||= isIt && fault.kind === 'dropped'
      if (dropped) throw new Crash(label)
    }
    const { table } = platform
    return {
      ...platform,
      table: {
        get: async (key) => (await use(), table.get(key)),
        query: async (query) => (await use(), table.query(query)),
        write: async (writes) => (await use(), table.write(writes)),
      },
    }
  }

  /** Every message arrives, every process lives, sites do what they are told. */
  async rest(fault?: Fault): Promise<void> {
    const { world } = this
    for (let round = 0; round < 200; round += 1) {
      while (world.undelivered > 0) {
        await this.deliver(1000, fault)
      }
      if (round % 4 === 0) world.alive(true)
      for (const each of world.down.splice(0)) world.site.receive(each)
      while (!world.site.isIdle()) for (let which = 0; which < 6; which += 1) world.site.work(which, false)
      world.send(false)
      while (world.up.length > 0) await world.handle(0, false)
      await world.tick()
      const isDone =
        this.servers().every(({ task }) => task === null) &&
        world.nodes().every((each) => !each.deadline) &&
        this.volumes().every((each) => !each.deadline)
      if (world.undelivered === 0 && round > 4 && isDone) return
      world.pass(60)
    }
    throw new Error(`did not come to rest: ${JSON.stringify(this.servers())}`)
  }

  /** What was ever being done to a server. */
  reached(): Set<string> {
    const written = this.world.table.feed.flatMap(({ key, after }) =>
      key.sk === 'server' && after ? [after.value as Server] : [],
    )
    return new Set(written.map(({ task }) => String(task)))
  }

  volumes = (): Volume[] => this.world.values<Volume>('volume')
  servers = (): Server[] => this.world.values<Server>('server')
  ports = (): NetworkPort[] => this.world.values<NetworkPort>(portStore.key('').sk)
}

function withAnother(volume: string): ServerVolume[] {
  const made = { size: 1, image: null, snapshot: null, type: null }
  return [
    { volume, attachment: randomUUID(), boot_index: 0, made: null, delete_on_termination: false },
    { volume: randomUUID(), attachment: randomUUID(), boot_index: 1, made, delete_on_termination: true },
  ]
}

const refusalIsNothing = (error: unknown): undefined => {
  if (!(error instanceof UserError)) throw error
}
