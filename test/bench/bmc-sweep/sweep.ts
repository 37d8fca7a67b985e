import { fork } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openDrivers } from '../../../appliance/drivers/table.ts'
import { openLedger } from '../../../appliance/ledger/ledger.ts'
import { openMachines } from '../../../appliance/ledger/machines.ts'
import { openOutbox } from '../../../appliance/ledger/outbox.ts'
import { openUrls } from '../../../appliance/ledger/urls.ts'
import { openSitePower } from '../../../appliance/power/site-power.ts'
import { type PowerConfig, powerConfig } from '../../../appliance/power/policy.ts'
import { realClock } from '../../../appliance/real-clock.ts'
import type { Report } from '../../../contract/messages.ts'
import { startUplink } from '../../../appliance/uplink/uplink.ts'
import { MemoryCloud } from '../../rack/paper/memory-link.ts'
import { machine } from '../../../appliance/testing/plans.ts'
import { memoryLog } from '../../../appliance/testing/memory-log.ts'
import type { FromFarm, ToFarm } from './farm.ts'
import { protocolOf } from './temper.ts'

/** A site's power, ledger, outbox and uplink over as many simulated BMCs as asked for, which are a process of their own. */
export interface Sweep {
  /** Node of each BMC. */
  nodes: string[]
  /** How often each answered. */
  answered: number[]
  reports(): Report[]
  /** Messages over the WAN with reports. */
  messages(): number
  /** Changes the power of these machines behind the site's back. */
  flip(indexes: number[]): Promise<void>
  stop(): Promise<void>
}

export async function startSweep(count: number, config: Partial<PowerConfig>): Promise<Sweep> {
  const child = fork(join(import.meta.dirname, 'farm.ts'), [`${count}`], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const ended = once(child, 'exit')
  const early = ended.then(([code]) => Promise.reject(new Error(`the farm of BMCs ended with ${String(code)}`)))
  early.catch(() => {})
  const heard = async (): Promise<FromFarm> => (await Promise.race([once(child, 'message'), early]))[0] as FromFarm
  const { addresses } = (await heard()) as Extract<FromFarm, { addresses: string[] }>
  const dir = mkdtempSync(join(tmpdir(), 'sweep-'))
  const ledger = openLedger(join(dir, 'ledger.sqlite'))
  const machines = openMachines(ledger, randomUUID)
  const nodes = addresses.map((address, index) => {
    const of = machine({
      node: randomUUID(),
      driver: protocolOf(index),
      driver_info: driverInfo(index, address),
      ports: [],
    })
    ledger.soon(() => machines.learn(of, 1))
    machines.setPower(of.node, index % 3 === 0 ? 'power off' : 'power on')
    return of.node
  })
  const places = new Map(nodes.map((node, index) => [node, index]))
  const answered = nodes.map(() => 0)
  const { drivers, close } = openDrivers()
  const outbox = openOutbox(ledger, () => realClock.now(), randomUUID)
  const cloud = new MemoryCloud()
  const link = cloud.link()
  const log = memoryLog()
  let messages = 0
  const publish = (payload: string): Promise<void> => {
    if (payload.includes('"kind":"reports"')) messages += 1
    return link.publish(payload)
  }
  const uplink = startUplink({
    ledger,
    outbox,
    log,
    urls: openUrls(ledger),
    clock: realClock,
    random: Math.random,
    software: 'sweep',
    link: { ...link, publish },
    onCommand: () => {},
    onPlace: () => {},
    onPrefetch: () => {},
    onConsole: () => {},
  })
  const stage = { clock: realClock, delays: () => 0, memory: { read: () => undefined, write: () => {} } }
  const power = openSitePower({
    machines,
    ledger,
    outbox,
    log,
    clock: realClock,
    random: Math.random,
    busy: () => false,
    config: powerConfig.parse(config),
    async bmcOf(of) {
      const connect = drivers[of.driver as 'ipmi' | 'redfish']
      const bmc = power.guard(of, await connect(of.driver_info, { ...stage, signal: new AbortController().signal }))
      const ask = async (): Promise<'power on' | 'power off'> => {
        const state = await bmc.power()
        answered[places.get(of.node)!]! += 1
        return state
      }
      return { ...bmc, power: ask }
    },
  })
  power.start()
  return {
    nodes,
    answered,
    reports: () => [...cloud.reports.values()],
    messages: () => messages,
    async flip(indexes) {
      const flipped = heard()
      child.send({ flip: indexes } satisfies ToFarm)
      await flipped
    },
    async stop() {
      await power.stop()
      await uplink.stop()
      child.disconnect()
      await ended
      await close()
      ledger.close()
      rmSync(dir, { recursive: true })
    },
  }
}

function driverInfo(index: number, address: string): Record<string, unknown> {
  if (protocolOf(index) === 'redfish')
    return {
      redfish_address: address,
      redfish_username: 'admin',
      redfish_password: 'paper-secret',
      redfish_verify_ca: false,
    }
  const [host, port] = address.split(':')
  return { ipmi_address: host, ipmi_port: port, ipmi_username: 'admin', ipmi_password: 'paper-secret' }
}
