import type { BootVolume } from '../../contract/boot-volume.ts'
import { machine as machineSchema, type Machine } from '../../contract/plan.ts'
import type { PowerState } from '../../contract/resources.ts'
import { type BootDirectory, type BootMachine, hookedVolumes } from '../boot/machine.ts'
import { wantsSecureBoot } from '../boot/secure-boot.ts'
import type { Ledger } from './ledger.ts'

/** The machines that plans have told of, and what each should boot now. */
export interface Machines extends BootDirectory {
  /** Facts that are not older than what was heard of the node; what it boots stays. */
  learn(machine: Machine, generation: number): void
  get(node: string): { machine: Machine; generation: number; powerState: PowerState | null } | undefined
  /** The newest that was heard of: of its facts or of a plan. */
  generation(node: string): number
  powerOf(node: string): PowerState | null
  nodes(): string[]
  byAnyMac(macs: string[]): Machine | undefined
  /** Ends all earlier boots: their tokens are void. */
  setBoot(node: string, generation: number, boot: Pick<BootMachine, 'mode' | 'ramdisk' | 'instance' | 'hostname'>): void
  /** Of the image cache: what instances boot at every start, for as long as they are there. */
  instanceFiles(): string[]
  boot(node: string): BootMachine | undefined
  setPower(node: string, state: PowerState): void
  /** Until a newer plan tells it anew. */
  setDriverInfo(node: string, key: string, value: unknown): void
  forget(node: string): void
}

type Row = { generation: number; facts: string; boot: string | null; power_state: PowerState | null }

/** Of boots that are over: so many are told from made-up ones. */
const SPENT = 4_096

export function openMachines(
  ledger: Ledger,
  token: () => string,
  openSecret: (chap: NonNullable<BootVolume['chap']>) => string = () => {
    throw new Error('there is no key to open secrets with')
  },
): Machines {
  const { db } = ledger
  const byNode = db.prepare('select generation, facts, boot, power_state from machine where node = ?')
  const byAddress = db.prepare('select node from mac where address = ?')
  const newest = db.prepare(
    `select coalesce(max(generation), 0) as newest from (
       select generation from machine where node = ? union all select generation from lane where node = ?)`,
  )
  const row = (node: string): Row | undefined => byNode.get(node) as Row | undefined
  const nodeOf = (mac: string): string | undefined => (byAddress.get(mac) as { node: string } | undefined)?.node

  /** Of a node, all; or this one. */
  const spend = (of: string): void => {
    const spent = db.prepare('select coalesce(max(spent), 0) + 1 as next from spent_token').get() as { next: number }
    db.prepare(
      'insert or ignore into spent_token (token, node, mac, spent) select token, node, mac, ? from boot_token where node = ? or token = ?',
    ).run(spent.next, of, of)
    db.prepare('delete from spent_token where spent <= ?').run(spent.next - SPENT)
    db.prepare('delete from boot_token where node = ? or token = ?').run(of, of)
  }

  const machines: Machines = {
    learn(machine, generation) {
      ledger.transaction(() => {
        if (machines.generation(machine.node) > generation) return
        ledger
          .statement(
            `insert into machine (node, generation, facts) values (?, ?, ?)
           on conflict (node) do update set generation = excluded.generation, facts = excluded.facts`,
          )
          .run(machine.node, generation, JSON.stringify(machine))
        ledger.statement('delete from mac where node = ?').run(machine.node)
        const addMac = ledger.statement(
          'insert into mac (address, node) values (?, ?) on conflict (address) do update set node = excluded.node',
        )
        const voidTokens = ledger.statement('delete from boot_token where mac = ? and node <> ?')
        for (const port of machine.ports) {
          if (!port.pxe_enabled) continue
          addMac.run(port.address, machine.node)
          voidTokens.run(port.address, machine.node)
        }
      })
    },
    get(node) {
      const found = row(node)
      if (!found) return undefined
      const machine = machineSchema.parse(JSON.parse(found.facts))
      return { machine, generation: found.generation, powerState: found.power_state }
    },
    generation: (node) => (newest.get(node, node) as { newest: number }).newest,
    powerOf: (node) => row(node)?.power_state ?? null,
    nodes: () => (db.prepare('select node from machine').all() as { node: string }[]).map((each) => each.node),
    byAnyMac(macs) {
      for (const mac of macs) {
        const node = nodeOf(mac)
        if (node) return machines.get(node)?.machine
      }
      return undefined
    },
    setBoot(node, generation, boot) {
      ledger.transaction(() => {
        db.prepare('update machine set boot = ? where node = ?').run(JSON.stringify({ ...boot, generation }), node)
        spend(node)
      })
    },
    instanceFiles() {
      const rows = db.prepare("select boot from machine where json_extract(boot, '$.mode') = 'instance'").all()
      return (rows as { boot: string }[]).flatMap(({ boot }) => {
        const { instance } = JSON.parse(boot) as Pick<BootMachine, 'instance'>
        return [instance?.kernel, instance?.initrd, instance?.iso, instance?.stage2].filter(
          (name) => name !== undefined,
        )
      })
    },
    boot(node) {
      const found = row(node)
      if (!found) return undefined
      const machine = machineSchema.parse(JSON.parse(found.facts))
      const boot = found.boot ? (JSON.parse(found.boot) as Pick<BootMachine, 'mode' | 'generation'>) : undefined
      const { addresses } = machine
      return {
        ...(boot?.mode === 'ramdisk' && addresses ? { addresses } : {}),
        mode: 'off',
        generation: found.generation,
        ...boot,
        node,
        macs: machine.ports.filter((port) => port.pxe_enabled).map((port) => port.address),
        arch: machine.cpu_arch,
        secureBoot: wantsSecureBoot(machine),
      }
    },
    byMac(mac) {
      const node = nodeOf(mac)
      return node === undefined ? undefined : machines.boot(node)
    },
    byBootToken(text) {
      const found = db.prepare('select node, mac from boot_token where token = ?').get(text) as
        | { node: string; mac: string }
        | undefined
      const machine = found && machines.boot(found.node)
      return machine && { machine, mac: found.mac }
    },
    bySpentToken(text) {
      const found = db.prepare('select node, mac from spent_token where token = ?').get(text)
      return found as { node: string; mac: string } | undefined
    },
    unlock(text) {
      const machine = machines.byBootToken(text)?.machine
      const { boot, data = [] } = (machine && hookedVolumes(machine)) ?? {}
      const secrets = new Map(
        [...(boot ? [boot] : []), ...data].flatMap(({ iqn, chap }) => (chap ? [[iqn, openSecret(chap)] as const] : [])),
      )
      ledger.transaction(() => spend(text))
      return secrets
    },
    bootToken(machine, mac) {
      return ledger.transaction(() => {
        const known = db
          .prepare('select token from boot_token where node = ? and mac = ? and generation = ?')
          .get(machine.node, mac, machine.generation) as { token: string } | undefined
        if (known) return known.token
        const fresh = token()
        db.prepare('insert into boot_token (token, node, mac, generation) values (?, ?, ?, ?)').run(
          fresh,
          machine.node,
          mac,
          machine.generation,
        )
        return fresh
      })
    },
    setDriverInfo(node, key, value) {
      const known = machines.get(node)
      if (!known) return
      const driver_info = { ...known.machine.driver_info, [key]: value }
      ledger
        .statement('update machine set facts = ? where node = ?')
        .run(JSON.stringify({ ...known.machine, driver_info }), node)
    },
    setPower(node, state) {
      const save = ledger.statement('update machine set power_state = ? where node = ?')
      ledger.soon(() => void save.run(state, node))
    },
    forget(node) {
      ledger.transaction(() => {
        for (const table of [
          'machine',
          'mac',
          'boot_token',
          'spent_token',
          'agent',
          'installer',
          'lane',
          'imagined',
          'health',
          'bmc_fault',
          'console',
          'ssh_host_key',
        ])
          db.prepare(`delete from ${table} where node = ?`).run(node)
      })
    },
  }
  return machines
}
