import { createHash, randomUUID } from 'node:crypto'
import type { Hono } from 'hono'
import {
  commandResult,
  heartbeatMicroversion,
  imageInfo,
  lookupMicroversion,
  lookupReply,
  maskedToken,
  type CommandResult,
} from '../../../contract/agent.ts'
import { AgentRefusal, type AgentClient } from '../../../appliance/agents/client.ts'
import { HardwareError } from '../../../appliance/hardware-error.ts'
import type { Clock } from '../../../appliance/clock.ts'
import type { PaperMachine } from './machine.ts'
import { inventoryOf } from './ramdisk-inventory.ts'

/** The ramdisk's agent of a paper machine: the real protocol at the real door, a disk of paper. */
export class PaperAgent {
  readonly url: string
  readonly #machine: PaperMachine
  readonly #clock: Clock
  readonly #powerLost: AbortSignal
  readonly #commands: CommandResult[] = []
  #token = ''
  readonly #own: string | undefined

  /** `token`: of the medium that it came with. */
  constructor(machine: PaperMachine, clock: Clock, powerLost: AbortSignal, token?: string) {
    this.#own = token
    this.#machine = machine
    this.#clock = clock
    this.#powerLost = powerLost
    this.url = `https://${machine.name}.paper:9999`
  }

  /** Before anything else, where its command line says whom to tell. */
  async inspect(commandLine: string, door: Hono): Promise<void> {
    const { collected, accidents } = this.#machine
    const callback = /\bipa-inspection-callback-url=(\S+)/.exec(commandLine)?.[1]
    if (collected === undefined || callback === undefined) return
    const body = JSON.stringify({ inventory: inventoryOf(this.#machine), ...collected })
    const reply = await door.request(new URL(callback).pathname, { method: 'POST', body })
    if (reply.status !== 202) accidents.push(`inspection answered ${reply.status}`)
  }

  async start(door: () => Hono): Promise<void> {
    let node: string | undefined
    while (node === undefined) {
      const reply = await door().request(`/v1/lookup?addresses=${this.#machine.mac}`, spoken(lookupMicroversion))
      if (reply.status === 200) {
        const found = lookupReply.parse(await reply.json())
        const given = found.config.agent_token
        this.#token = given === maskedToken && this.#own !== undefined ? this.#own : given
        node = found.node.uuid
      } else await this.#clock.sleep(1000, this.#powerLost)
    }
    while (!this.#powerLost.aborted) {
      const body = {
        callback_url: this.url,
        agent_token: this.#token,
        agent_version: 'paper 1',
        agent_verify_ca: 'paper',
      }
      const reply = await door().request(`/v1/heartbeat/${node}`, {
        ...spoken(heartbeatMicroversion),
        method: 'POST',
        body: JSON.stringify(body),
      })
      if (reply.status !== 202) this.#machine.accidents.push(`heartbeat answered ${reply.status}`)
      await this.#clock.sleep(90_000, this.#powerLost)
    }
  }

  get alive(): boolean {
    return !this.#powerLost.aborted
  }

  list(token: string): CommandResult[] {
    if (token !== this.#token) throw new AgentRefusal('Invalid agent token')
    return this.#commands.map((each) => ({ ...each }))
  }

  async command(token: string, name: string, params: Record<string, unknown>, wait: boolean): Promise<CommandResult> {
    if (token !== this.#token) throw new AgentRefusal('Invalid agent token')
    if (this.#commands.some((each) => each.command_status === 'RUNNING')) throw new AgentRefusal('Agent is busy')
    const result = commandResult.parse({
      id: randomUUID(),
      command_name: name.split('.')[1],
      command_status: 'RUNNING',
      command_error: null,
      command_result: null,
    })
    this.#commands.push(result)
    const work = this.#run(name, params).then(
      (value) => Object.assign(result, { command_status: 'SUCCEEDED', command_result: value }),
      (error: Error) =>
        Object.assign(result, { command_status: 'FAILED', command_error: { type: 'X', details: error.message } }),
    )
    if (wait) await work
    return { ...result }
  }

  async #run(name: string, params: Record<string, unknown>): Promise<Record<string, unknown>> {
    const { disk } = this.#machine
    switch (name) {
      case 'deploy.execute_deploy_step':
        return this.#writeImage((params['step'] as { args: Record<string, unknown> }).args)
      case 'clean.execute_clean_step':
        await this.#clock.sleep(2000, this.#powerLost)
        disk.image = undefined
        disk.configDrive = undefined
        return {}
      case 'standby.power_off':
        setImmediate(() => this.#machine.off())
        return {}
      case 'standby.run_image':
        setImmediate(() => this.#machine.restart())
        return {}
      case 'standby.load_kernel':
        if (this.#machine.kexecFault !== undefined) throw new Error(this.#machine.kexecFault)
        return { kernel: '/boot/vmlinuz-paper' }
      case 'standby.start_kernel':
        setImmediate(() => this.#machine.kexec())
        return {}
      case 'poll.get_hardware_info':
        return inventoryOf(this.#machine)
      case 'rescue.finalize_rescue':
        this.#machine.rescuePassword = params['rescue_password'] as string
        return {}
      case 'log.collect_system_logs':
        return { system_logs: Buffer.from('paper').toString('base64') }
      case 'standby.sync':
      case 'standby.get_partition_uuids':
      case 'image.install_bootloader':
        return {}
      default:
        throw new Error(`paper agents have no command ${name}`)
    }
  }

  /** As patient as the real agent: a broken connection is tried again. */
  async #download(url: string): Promise<Uint8Array> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const reply = await fetch(url, { signal: this.#powerLost })
        if (!reply.ok) throw new Error(`image server answers ${reply.status}`)
        return new Uint8Array(await reply.arrayBuffer())
      } catch (error) {
        if (attempt === 9) throw error
        await this.#clock.sleep(10_000, this.#powerLost)
      }
    }
  }

  async #writeImage(args: Record<string, unknown>): Promise<Record<string, unknown>> {
    const machine = this.#machine
    if (machine.writing) machine.accidents.push('two writers on one disk')
    machine.writing = true
    machine.disk.image = 'half-written'
    try {
      if (machine.diskFault !== undefined) throw new Error(machine.diskFault)
      const info = imageInfo.parse(args['image_info'])
      const digest = createHash(info.os_hash_algo!)
        .update(await this.#download(info.urls[0]!))
        .digest('hex')
      await this.#clock.sleep(30_000, this.#powerLost)
      if (digest !== info.os_hash_value) throw new Error(`expected ${info.os_hash_value}, got ${digest}`)
      machine.disk.image = digest
      machine.disk.configDrive = (args['configdrive'] as string | null) ?? undefined
      return {}
    } finally {
      machine.writing = false
    }
  }
}

function spoken(version: string): { headers: Record<string, string> } {
  return { headers: { 'X-OpenStack-Ironic-API-Version': version } }
}

/** Reaches paper agents by their URL instead of the network. */
export class PaperAgents implements AgentClient {
  readonly #running = new Map<string, PaperAgent>()

  add(agent: PaperAgent): void {
    this.#running.set(agent.url, agent)
  }

  command(
    to: { url: string; token: string },
    name: string,
    params: Record<string, unknown>,
    wait: boolean,
  ): Promise<CommandResult> {
    return this.#agent(to.url).command(to.token, name, params, wait)
  }

  commands(to: { url: string; token: string }): Promise<CommandResult[]> {
    return Promise.resolve().then(() => this.#agent(to.url).list(to.token))
  }

  #agent(url: string): PaperAgent {
    const agent = this.#running.get(url)
    if (!agent?.alive) throw new HardwareError(`agent at ${url}: connection refused`)
    return agent
  }
}
