import { type Verb, verbsFrom } from '../../../contract/provision.ts'
import type { Node } from '../../../contract/resources.ts'
import { changeNode } from '../../../lambdas/store/change-node.ts'
import { anyVerb, type Event, needs, NODES, type Story } from './story.ts'
import type { MemoryTable } from './memory-table.ts'
import { World } from './world.ts'

/** A story that happens to a world, and what people may hold the cloud to afterwards. */
export class Play {
  readonly world: World
  readonly uuids: string[] = []
  /** Of each node: keys that somebody was told are written; those of whom nobody knows; and how often it was counted up. */
  readonly patched = new Map<string, Set<string>>()
  readonly perhaps = new Map<string, Set<string>>()
  readonly counted = new Map<string, number>()
  #patches = 0

  constructor(table?: MemoryTable) {
    this.world = new World(table)
  }

  async open({ begins }: Story): Promise<void> {
    const { world } = this
    await world.open()
    // Whoever is inspected twice by one plan has it twice.
    const value = '{plugin_data[plan]}'
    const actions = [{ op: 'extend-attribute', args: { path: 'extra/seen', value } }]
    await world.request('POST', '/v1/inspection_rules', { actions })
    for (let index = 0; index < NODES; index += 1) {
      const body = {
        name: `n${index}`,
        driver: index === 0 ? 'ipmi' : 'fake-hardware',
        driver_info: index === 0 ? { ipmi_address: '192.0.2.1' } : {},
        // Of the last node's power the first one's is part.
        ...(index === 2 ? { parent_node: this.uuids[0] } : {}),
        resource_class: 'big',
        ...(index === 0 ? { inspect_interface: 'agent' } : {}),
        extra: { count: 0 },
        instance_info: { image_source: 'http://images.test/i', image_checksum: 'a'.repeat(64) },
      }
      const { body: made } = await world.request('POST', '/v1/nodes', body)
      const uuid = String(made['uuid'])
      this.uuids.push(uuid)
      if (index === 0)
        await world.request('POST', '/v1/ports', { node_uuid: uuid, address: `52:54:00:aa:00:0${index}` })
      const begun = { provision_state: begins[index]!, power_state: 'power off' as const }
      await changeNode(world.process('set-up'), uuid, (node) => ({ node: { ...node, ...begun } }))
      for (const kept of [this.patched, this.perhaps]) kept.set(uuid, new Set())
    }
    await world.deliver(1000)
  }

  async happen(event: Event): Promise<void> {
    const { world } = this
    const uuid = 'node' in event ? this.uuids[event.node]! : ''
    switch (event.kind) {
      case 'verb':
        return this.#ask(uuid, event)
      case 'power':
        await world.request('PUT', `/v1/nodes/${uuid}/states/power`, { target: event.target })
        return
      case 'patch':
        return this.#patch(uuid, event.uses)
      case 'increment':
        return this.#increment(uuid)
      case 'maintenance':
        await world.request(event.on ? 'PUT' : 'DELETE', `/v1/nodes/${uuid}/maintenance`)
        return
      case 'allocate':
        await world.request('POST', '/v1/allocations', { resource_class: 'big' }, {}, event.uses)
        return
      case 'release': {
        const all = world.allocations()
        const one = all[event.which % Math.max(all.length, 1)]
        if (one) await world.request('DELETE', `/v1/allocations/${one.uuid}`, undefined, {}, event.uses)
        return
      }
      case 'delete node':
        await world.request('DELETE', `/v1/nodes/${uuid}`)
        return
      case 'deliver':
        return world.deliver(event.count, event.uses)
      case 'handle':
        return world.handle(event.which, event.again, event.uses)
      case 'tick':
        return world.tick(event.uses)
      case 'work':
        return world.site.work(event.which, event.fails)
      case 'send':
        return world.send(event.apart)
      case 'receive': {
        const messages = world.down.splice(0)
        if (!event.lost) for (const each of messages) world.site.receive(each)
        return
      }
      case 'disk lost':
        world.site.loseDisk()
        return world.alive(true)
      case 'alive':
        return world.alive(event.hello)
      case 'pass':
        return world.pass(event.seconds)
      case 'go on':
        return this.#goOn(event.steps)
    }
  }

  async #goOn(steps: number): Promise<void> {
    const { world } = this
    for (let step = 0; step < steps; step += 1) {
      await world.deliver(1000)
      for (const each of world.down.splice(0)) world.site.receive(each)
      for (let which = 0; which < NODES; which += 1) world.site.work(which, false)
      world.send(false)
      for (let left = world.up.length; left > 0; left -= 1) await world.handle(0, false)
    }
  }

  async #ask(uuid: string, { which, stray, uses }: Extract<Event, { kind: 'verb' }>): Promise<void> {
    const node = this.#node(uuid)
    const accepted = node ? verbsFrom(node.provision_state) : []
    const choice = stray || accepted.length === 0 ? anyVerb : accepted
    const target: Verb = choice[which % choice.length] ?? 'manage'
    await this.world.request('PUT', `/v1/nodes/${uuid}/states/provision`, { target, ...needs[target] }, {}, uses)
  }

  async #patch(uuid: string, uses: number | undefined): Promise<void> {
    this.#patches += 1
    const key = `k${this.#patches}`
    const patch = [{ op: 'add', path: `/extra/${key}`, value: true }]
    const { status } = await this.world.request('PATCH', `/v1/nodes/${uuid}`, patch, {}, uses)
    if (status === 200) this.patched.get(uuid)!.add(key)
    else if (status >= 500) this.perhaps.get(uuid)!.add(key)
  }

  async #increment(uuid: string): Promise<void> {
    const { status, headers, body } = await this.world.request('GET', `/v1/nodes/${uuid}`)
    if (status !== 200) return
    const { count } = body['extra'] as { count: number }
    const patch = [{ op: 'replace', path: '/extra/count', value: count + 1 }]
    const wanted = { 'if-match': headers.get('etag') ?? 'none' }
    const reply = await this.world.request('PATCH', `/v1/nodes/${uuid}`, patch, wanted)
    if (reply.status === 200) this.counted.set(uuid, (this.counted.get(uuid) ?? 0) + 1)
  }

  #node(uuid: string): Node | undefined {
    return this.world.nodes().find((each) => each.uuid === uuid)
  }

  /** Until nothing more would happen: every message arrives, every process lives, and time goes by. */
  async end(siteLives: boolean): Promise<void> {
    const { world } = this
    world.pause = () => Promise.resolve()
    for (let round = 0; round < 400; round += 1) {
      while (world.undelivered > 0) await world.deliver(1000)
      if (siteLives) {
        if (round % 4 === 0) world.alive(true)
        for (const each of world.down.splice(0)) world.site.receive(each)
        while (!world.site.isIdle()) for (let which = 0; which < 6; which += 1) world.site.work(which, false)
        world.send(false)
      }
      while (world.up.length > 0) await world.handle(0, false)
      await world.tick()
      if (world.undelivered === 0 && round > 8 && this.#isAtRest()) return
      world.pass(siteLives ? 60 : 3600)
    }
  }

  #isAtRest(): boolean {
    const { nodes, allocations } = { nodes: this.world.nodes(), allocations: this.world.allocations() }
    return nodes.every(({ deadline }) => deadline === null) && allocations.every(({ state }) => state !== 'allocating')
  }
}
