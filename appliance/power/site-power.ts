import type { Machine } from '../../contract/plan.ts'
import type { Clock } from '../clock.ts'
import type { Bmc } from '../drivers/bmc.ts'
import { openBmcFaults } from '../ledger/bmc-faults.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { Machines } from '../ledger/machines.ts'
import type { Outbox } from '../ledger/outbox.ts'
import type { Log } from '../log.ts'
import { bmcAddress } from './address.ts'
import type { PowerRules } from './change.ts'
import { openGates } from './gate.ts'
import { startListeners } from './listeners.ts'
import { openNews } from './news.ts'
import { policyOf, type PowerConfig } from './policy.ts'
import { openStagger } from './stagger.ts'
import { startPowerSync, type PowerSync } from './sync.ts'

export interface SitePowerParts {
  config: PowerConfig
  machines: Machines
  ledger: Ledger
  outbox: Outbox
  clock: Clock
  random: () => number
  log: Log
  bmcOf(machine: Machine): Promise<Bmc>
  busy(node: string): boolean
}

/** All of a site that is about power. */
export interface SitePower {
  /** Lets one command at a time through to a BMC. */
  guard(machine: Machine, bmc: Bmc): Bmc
  rules(machine: Machine): PowerRules
  start(): void
  stop(): Promise<void>
}

export function openSitePower(parts: SitePowerParts): SitePower {
  const { config, clock, ledger, log, machines, outbox } = parts
  const gates = openGates(clock, config.bmc_command_interval * 1000)
  const stagger = openStagger(config.stagger, clock)
  const faults = openBmcFaults(ledger)
  let sync: PowerSync | undefined
  let listeners: ReturnType<typeof startListeners> | undefined
  return {
    guard: (machine, bmc) => gates.guard(bmcAddress(machine), bmc),
    rules: (machine) => ({
      changeMs: config.power_state_change_timeout * 1000,
      hardAfterSoft: config.hard_after_soft,
      staysOn: machine.disable_power_off,
      turn: stagger(groupOf(machine, config)),
    }),
    start() {
      const { bmcOf, busy, random } = parts
      const running = startPowerSync({
        machines,
        faults,
        news: openNews({ ledger, machines, faults, outbox, log }),
        clock,
        random,
        log,
        policy: policyOf(config),
        async ask(machine) {
          if (!gates.isFree(bmcAddress(machine))) return undefined
          return (await bmcOf(machine)).power()
        },
        busy,
      })
      sync = running
      listeners = startListeners({ machines, clock, log, most: config.event_streams, bmcOf, hint: running.hint })
    },
    async stop() {
      await listeners?.stop()
      await sync?.stop()
    },
  }
}

/** Machines that don't say are one group. */
function groupOf({ properties }: Machine, { stagger }: PowerConfig): string {
  const value = stagger && properties[stagger.property]
  return typeof value === 'string' || typeof value === 'number' ? `${stagger!.property} ${value}` : 'the site'
}
