import type { Said } from '../ledger/installers.ts'
import { HardwareError } from '../hardware-error.ts'
import type { StepContext } from '../plans/step.ts'

/** The agent carried a command out, and it failed. */
export class CommandFailed extends HardwareError {}

/** The agents of machines that run the ramdisk, as steps need them. */
export interface Agents {
  /** It has sent a heartbeat since it was last wiped. */
  isUp(node: string): boolean
  /** Its last heartbeat since then. */
  heardOf(node: string): Date | undefined
  /** Asks it, once and without patience: nothing runs that it was told to. */
  isIdle(on: StepContext): Promise<boolean>
  /** What boot has been seen of the machine since then, as a sentence. */
  lastSeen(node: string, since: Date): string | undefined
  /** A command that answers at once. Resolves to its result. */
  call(on: StepContext, name: string, params: Record<string, unknown>): Promise<Record<string, unknown>>
  /** A command that takes its time; resolves to its result. Rejects with CommandFailed, after which it may be given again. */
  runCommand(
    on: StepContext,
    name: string,
    params: Record<string, unknown>,
    work?: Work,
  ): Promise<Record<string, unknown>>
  /** A step of the agent; resolves to its command's result. */
  runStep(on: StepContext, kind: AgentStepKind, work: StepWork): Promise<Record<string, unknown>>
  /** Asks the agent to halt the machine; resolves when it was asked, whether or not it could still answer. */
  powerOff(on: StepContext): Promise<void>
  /** Asks the agent to restart the machine; resolves as powerOff does. */
  restart(on: StepContext): Promise<void>
  /** Asks the agent to start the kernel that it has loaded, which ends it; resolves as powerOff does. */
  startKernel(on: StepContext): Promise<void>
  /** The next agent of this machine is given its token beforehand; nobody else is then. */
  prearrange(node: string): void
  /** What boots next is an installer: what another one said is of no account any more. */
  expectInstaller(node: string): void
  installerSaid(node: string): Said | undefined
  /** The machine lost power: its agent is gone. */
  wipe(node: string): void
}

/** Each kind of operation has its own list of steps. */
export type AgentStepKind = 'deploy' | 'clean' | 'service'

export interface Work {
  /** What to tell people while it runs. */
  busy: string
  percent(own: number): number
}

export interface StepWork extends Work {
  step: { interface: string; step: string }
  args: Record<string, unknown>
  /** What the node's driver_internal_info says to the step. */
  internal?: Record<string, unknown>
  /** What it says differently of the node than the plan does. */
  node?: Record<string, unknown>
}
