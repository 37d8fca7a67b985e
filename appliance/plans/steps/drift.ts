import { z } from 'zod'
import type { HardwareFacts } from '../../../contract/hardware-facts.ts'
import { type Bmc, requireMore } from '../../drivers/bmc.ts'
import { HardwareError } from '../../hardware-error.ts'
import type { StepContext, StepRunner } from '../step.ts'

/** What somebody has declared that a machine shall be: properties/baseline. */
const baseline = z.strictObject({
  bios: z.record(z.string().max(255), z.union([z.string(), z.number(), z.boolean()])).default({}),
  /** By component: bios, bmc, nic:<id>. */
  firmware: z.record(z.string().max(255), z.string()).default({}),
  /** Of the BMC, by name: all there may be. */
  bmc_users: z.array(z.string().max(255)).max(64).optional(),
})
export type Baseline = z.infer<typeof baseline>

const MOST = 200

/** Nothing is changed, and nothing fails but a BMC that can't be asked: what differs is told, for people to judge. */
export const reportDrift: StepRunner<'management.report_drift'> = async (_args, on) => {
  const declared = on.plan.machine.properties['baseline']
  if (declared === undefined) throw new HardwareError('the node has no baseline: declare it in properties/baseline')
  const parsed = baseline.safeParse(declared)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    throw new HardwareError(`properties/baseline/${issue?.path.join('/')}: ${issue?.message}`)
  }
  on.note('comparing the machine with its baseline')
  const bmc = await on.bmc()
  const facts = await requireMore(bmc, on.plan.machine.driver, 'readHardware')()
  const drift = driftOf(parsed.data, facts, parsed.data.bmc_users && (await usersOf(on, bmc)))
  on.read({ read_at: on.clock.now().toISOString(), drift: drift.slice(0, MOST) })
}

function usersOf(on: StepContext, bmc: Bmc): Promise<string[]> {
  return requireMore(bmc, on.plan.machine.driver, 'users')()
}

/** A sentence for each difference. Pure. */
export function driftOf(
  { bios, firmware, bmc_users: wanted }: Baseline,
  facts: Omit<HardwareFacts, 'read_at'>,
  users: readonly string[] | undefined,
): string[] {
  const settings = new Map(facts.bios?.map(({ name, value }) => [name, value]))
  const versions = new Map(facts.firmware?.map(({ component, version }) => [component, version]))
  const differs = (what: string, is: string | null | undefined, shall: unknown): string[] =>
    is === String(shall) ? [] : [`${what} is ${is ?? 'not told'}, not ${String(shall)}`.slice(0, 1024)]
  return [
    ...Object.entries(bios).flatMap(([name, shall]) => differs(`BIOS setting ${name}`, settings.get(name), shall)),
    ...Object.entries(firmware).flatMap(([part, shall]) => differs(`firmware of ${part}`, versions.get(part), shall)),
    ...(wanted?.filter((name) => !users?.includes(name)).map((name) => `the BMC has no user ${name}`) ?? []),
    ...(wanted && users
      ? users
          .filter((name) => !wanted.includes(name))
          .map((name) => `the BMC has a user ${name}, which nobody declared`)
      : []),
  ]
}
