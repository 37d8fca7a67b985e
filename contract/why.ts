import type { HealthLevel } from './health.ts'
import { isTransient, provision, verbsFrom } from './provision.ts'
import type { Node, Operation } from './resources.ts'

/** Why a node is where it is: the last facts known, and from them the most likely reason. Pure. */

export interface WhyFacts {
  node: string
  name: string | null
  provision_state: Node['provision_state']
  target_provision_state: Node['target_provision_state']
  power_state: Node['power_state']
  target_power_state: Node['target_power_state']
  maintenance: boolean
  maintenance_reason: string | null
  last_error: string | null
  /** When what runs is given up unless something is heard of it. */
  deadline: string | null
  /** What runs, as last reported. */
  operation: {
    kind: string
    phase: Operation['phase']
    /** `interface.step` */
    step: string | null
    number: number
    steps: number
    percent: number | null
    note: string | null
    /** Of the last report; before the first, of the sending. */
    at: string
    reports: number
    /** What the site saw of the machine's boot, oldest first. */
    boot: NonNullable<Operation['boot']>
  } | null
  /** The last command about it; `acknowledged`: it is in the appliance's ledger. */
  command: { sent_at: string | null; acknowledged: boolean } | null
  /** The site's appliance that has it in hand; null: the site has none. */
  appliance: { name: string; alive: boolean; last_seen: string | null } | null
  site: string
  /** Only what is not well. */
  health: { level: HealthLevel; causes: string[] } | null
  /** What the machine's console showed when the last operation failed; only for whom may see consoles. */
  screen: { at: string; lines: string[] } | null
  /** When the ramdisk's logs of the last failure were collected; only for whom may fetch them. */
  deploy_log: string | null
}
export interface Why extends WhyFacts {
  reason: string
}

export function explain(facts: WhyFacts): Why {
  return { ...facts, reason: `${reasonOf(facts)}${unwell(facts.health)}` }
}

/** Where the hardware is not well, that is where people look first. */
function unwell(health: WhyFacts['health']): string {
  if (!health || health.level === 'OK') return ''
  const causes = health.causes.length > 0 ? `: ${health.causes.join('; ')}` : ''
  return ` Its hardware is not well (${health.level})${causes}.`
}

function reasonOf(facts: WhyFacts): string {
  const { provision_state: state, operation, deadline } = facts
  if (operation) return ofOperation(facts, operation)
  if (isTransient(state) || deadline !== null) return ofUnplanned(facts)
  if (facts.maintenance) return `It is under maintenance${because(facts.maintenance_reason)}`
  if (facts.last_error !== null) return `The last thing asked of it came to nothing${because(facts.last_error)}`
  if (provision[state].kind === 'hold') return `A hold step holds it in '${state}': it goes on with the verb unhold.`
  const verbs = verbsFrom(state)
  return `Nothing is asked of it: '${state}' is a state to rest in. From here it goes on with ${verbs.join(', ')}.`
}

function ofUnplanned({ appliance, site, provision_state: state }: WhyFacts): string {
  if (site === '') return 'It belongs to no site, so nobody can do it: set its conductor_group.'
  if (!appliance) return `Site ${site} has no appliance, so nobody can do it: enrol one.`
  return `What is asked of it in '${state}' is just being planned.`
}

function ofOperation(facts: WhyFacts, operation: NonNullable<WhyFacts['operation']>): string {
  const { appliance, command } = facts
  const box = appliance?.name ?? 'the appliance that had it in hand, and is no more,'
  const seen = appliance?.last_seen ? `has not been heard of since ${appliance.last_seen}` : 'has never been heard of'
  if (!appliance) return `Its site lost ${box} after it was sent: it is given up at its deadline.`
  if (!appliance.alive)
    return operation.reports === 0
      ? `The command waits for ${box}, which ${seen}: the line of the site, or the appliance, is down.`
      : `${box} ${seen}: it may well go on by itself. Last report${because(operation.note ?? operation.phase)}`
  if (operation.reports > 0) return ofProgress(operation)
  if (command?.sent_at === null || (command && !command.acknowledged))
    return `The command is on its way to ${box}, which is alive but has not taken it yet.`
  return `${box} has the command and has not reported about it yet: others may be before it.`
}

function ofProgress(operation: NonNullable<WhyFacts['operation']>): string {
  const { phase, step, number, steps, percent, note, at } = operation
  const where = `step ${number} of ${steps}${step === null ? '' : `, ${step}`}`
  const far = percent === null ? '' : ` (${percent.toFixed(0)} %)`
  if (phase === 'held') return `It is held at ${where}: it goes on with the verb unhold.`
  if (phase === 'waiting') return `It waits at ${where}${far} since ${at}${because(note)}${hint(step)}`
  return `It is at ${where}${far}, last heard of at ${at}${because(note)}`
}

/** What to look at when a machine keeps one waiting here. */
const hints: Readonly<Record<string, string>> = {
  'deploy.start_agent':
    " If it stays so, the machine doesn't boot the ramdisk: look at its console, its boot mode, the address of its port, and the cable.",
  'deploy.write_image': ' If it stays so, the image is not to be had, or the line to it is slow.',
}

function hint(step: string | null): string {
  return (step !== null && hints[step]) || ''
}

function because(why: string | null): string {
  if (why === null || why === '') return '.'
  return /[.!?]$/.test(why) ? `: ${why}` : `: ${why}.`
}
