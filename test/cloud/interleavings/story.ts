import fc from 'fast-check'
import { type ProvisionState, type Verb, verbs } from '../../../contract/provision.ts'

/** People, sites, processes and time, in whatever order. `uses`: the process is dropped before its so-many-th use of the table. */
export type Event =
  | { kind: 'verb'; node: number; which: number; stray: boolean; uses?: number }
  | { kind: 'power'; node: number; target: 'power on' | 'power off' | 'rebooting' }
  | { kind: 'patch'; node: number; uses?: number }
  | { kind: 'increment'; node: number }
  | { kind: 'maintenance'; node: number; on: boolean }
  | { kind: 'allocate'; uses?: number }
  | { kind: 'release'; which: number; uses?: number }
  | { kind: 'delete node'; node: number }
  | { kind: 'deliver'; count: number; uses?: number }
  | { kind: 'handle'; which: number; again: boolean; uses?: number }
  | { kind: 'tick'; uses?: number }
  | { kind: 'work'; which: number; fails: boolean }
  | { kind: 'send'; apart: boolean }
  | { kind: 'receive'; lost: boolean }
  | { kind: 'alive'; hello: boolean }
  | { kind: 'disk lost' }
  | { kind: 'pass'; seconds: number }
  /** All goes as on other days, for so many steps of the site. */
  | { kind: 'go on'; steps: number }

export const NODES = 3
const node = fc.nat(NODES - 1)
const rarely = fc.option(fc.nat(8), { nil: undefined, freq: 4 })
const of = (kind: Event['kind'], rest: Record<string, fc.Arbitrary<unknown>>) =>
  fc.record({ kind: fc.constant(kind), ...rest }) as unknown as fc.Arbitrary<Event>

const event: fc.Arbitrary<Event> = fc.oneof(
  { weight: 6, arbitrary: of('verb', { node, which: fc.nat(20), stray: fc.boolean(), uses: rarely }) },
  { weight: 2, arbitrary: of('power', { node, target: fc.constantFrom('power on', 'power off', 'rebooting') }) },
  { weight: 2, arbitrary: of('patch', { node, uses: rarely }) },
  { weight: 2, arbitrary: of('increment', { node }) },
  { weight: 1, arbitrary: of('maintenance', { node, on: fc.boolean() }) },
  { weight: 3, arbitrary: of('allocate', { uses: rarely }) },
  { weight: 1, arbitrary: of('release', { which: fc.nat(5), uses: rarely }) },
  { weight: 1, arbitrary: of('delete node', { node }) },
  { weight: 8, arbitrary: of('deliver', { count: fc.integer({ min: 1, max: 10 }), uses: rarely }) },
  { weight: 7, arbitrary: of('handle', { which: fc.nat(10), again: fc.boolean(), uses: rarely }) },
  { weight: 2, arbitrary: of('tick', { uses: rarely }) },
  { weight: 8, arbitrary: of('work', { which: fc.nat(5), fails: fc.boolean() }) },
  { weight: 5, arbitrary: of('send', { apart: fc.boolean() }) },
  { weight: 6, arbitrary: of('receive', { lost: fc.boolean() }) },
  { weight: 1, arbitrary: of('disk lost', {}) },
  { weight: 2, arbitrary: of('alive', { hello: fc.boolean() }) },
  { weight: 5, arbitrary: of('go on', { steps: fc.integer({ min: 1, max: 8 }) }) },
  { weight: 2, arbitrary: of('pass', { seconds: fc.constantFrom(1, 40, 700, 2000, 90_000) }) },
)

/** Each inner list happens at once. Nodes begin where it says. */
export interface Story {
  begins: ProvisionState[]
  events: Event[][]
  /** Whether the site is there in the end. */
  siteLives: boolean
}
export const story: fc.Arbitrary<Story> = fc.record({
  begins: fc.array(fc.constantFrom<ProvisionState>('available', 'enroll', 'manageable', 'active'), {
    minLength: NODES,
    maxLength: NODES,
  }),
  events: fc.array(fc.array(event, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 40, size: 'max' }),
  siteLives: fc.boolean(),
})

/** What a verb needs beside its name. */
export const needs: Partial<Record<Verb, Record<string, unknown>>> = {
  clean: {
    clean_steps: [
      { interface: 'power', step: 'hold' },
      { interface: 'power', step: 'reboot' },
    ],
  },
  service: { service_steps: [{ interface: 'power', step: 'wait', args: { seconds: 5 } }] },
  rescue: { rescue_password: 'hush-hush' },
}
export const anyVerb = Object.keys(verbs) as Verb[]
