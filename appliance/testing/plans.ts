import { randomUUID } from 'node:crypto'
import type { Command } from '../../contract/messages.ts'
import type { Lane, Machine, Plan, Step } from '../../contract/plan.ts'
import type { StepName } from '../../contract/step-arguments.ts'

/** Plans and commands as a cloud would send them, for tests. */

export function machine(more: Partial<Machine> = {}): Machine {
  return {
    node: randomUUID(),
    name: 'node-1',
    driver: 'ipmi',
    interfaces: {},
    driver_info: { ipmi_address: '192.0.2.1' },
    properties: {},
    instance_info: {},
    boot_mode: 'uefi',
    cpu_arch: 'x86_64',
    disable_power_off: false,
    ports: [port('52:54:00:00:00:01')],
    ...more,
  }
}

export function port(address: string, pxe_enabled = true): Machine['ports'][number] {
  return { uuid: randomUUID(), address, pxe_enabled }
}

export function step(name: StepName, args: Record<string, unknown> = {}, more: Partial<Step> = {}): Step {
  const [of, what] = name.split('.') as [string, string]
  return { interface: of, step: what, args, priority: 0, deadline_seconds: 300, waits: false, ...more }
}

export function plan(of: Machine, generation: number, steps: Step[], more: Partial<Plan> = {}): Plan {
  return {
    id: randomUUID(),
    node: of.node,
    generation,
    lane: 'provision',
    kind: 'deploy',
    machine: of,
    steps,
    on_failure: [],
    created_at: '2026-01-01T00:00:00.000Z',
    ...more,
  }
}

type Run = Extract<Command, { kind: 'run' }>

const base = (seq: number, node: string, generation: number): Omit<Run, 'kind' | 'plan'> => ({
  id: randomUUID(),
  seq,
  node,
  generation,
  issued_at: '2026-01-01T00:00:00.000Z',
  deadline: '2026-01-02T00:00:00.000Z',
})

export function runs(seq: number, of: Plan, more: Partial<Run> = {}): Run {
  return { ...base(seq, of.node, of.generation), kind: 'run', plan: of, ...more }
}

export function cancels(
  seq: number,
  of: Plan,
  reason: string,
  lane: Lane = 'provision',
): Extract<Command, { kind: 'cancel' }> {
  return { ...base(seq, of.node, of.generation), kind: 'cancel', lane, reason }
}

export function watches(seq: number, of: Machine, generation: number): Extract<Command, { kind: 'watch' }> {
  return { ...base(seq, of.node, generation), kind: 'watch', machine: of }
}

export function releases(seq: number, node: string, generation: number): Extract<Command, { kind: 'release' }> {
  return { ...base(seq, node, generation), kind: 'release' }
}

export function forgets(seq: number, node: string, generation: number): Extract<Command, { kind: 'forget' }> {
  return { ...base(seq, node, generation), kind: 'forget' }
}
