import { z } from 'zod'
import { cleanStepsResult, deployStepsResult, type OfferedStep } from '../../../contract/agent.ts'
import type { ConfigDriveReference } from '../../../contract/plan-sources.ts'
import type { AgentStepKind } from '../../agents/agents.ts'
import { agentNode } from '../../agents/site-agents.ts'
import { HardwareError } from '../../hardware-error.ts'
import type { StepContext, StepRunner } from '../step.ts'

const serviceStepsResult = z.looseObject({ service_steps: deployStepsResult.shape.deploy_steps })

/** What an agent has is known once it runs, so that only now a name that was mistyped is told from one that was not. */
export const agentStep: StepRunner<'plan.agent_step'> = async ({ args, config_drive: drive, ...step }, on) => {
  const kind = kindOf(on)
  const name = `${step.interface}.${step.step}`
  const offered = await offeredBy(on, kind)
  if (!offered.some((each) => each.interface === step.interface && each.step === step.step))
    throw new HardwareError(
      `the ramdisk's agent has no ${kind} step ${name}; it has: ${offered.map((each) => `${each.interface}.${each.step}`).join(', ')}`,
    )
  const configdrive = drive && (await fetched(drive, on))
  const { instance_info } = on.plan.machine
  await on.agents.runStep(on, kind, {
    step,
    args,
    ...(configdrive !== undefined && { node: { instance_info: { ...instance_info, configdrive } } }),
    busy: `doing ${name}`,
    percent: (own) => own,
  })
}

function kindOf({ plan: { kind } }: StepContext): AgentStepKind {
  if (kind === 'deploy' || kind === 'clean' || kind === 'service') return kind
  throw new HardwareError(`agents have no steps for ${kind}`)
}

async function offeredBy(on: StepContext, kind: AgentStepKind): Promise<OfferedStep[]> {
  const { machine } = on.plan
  const reply = await on.agents.call(on, `${kind}.get_${kind}_steps`, {
    node: agentNode(machine),
    ports: machine.ports,
  })
  const read = lists[kind].safeParse(reply)
  if (!read.success) throw new HardwareError(`the agent's list of ${kind} steps is not understood`)
  return Object.values(read.data).flat()
}

const lists = {
  deploy: deployStepsResult.transform(({ deploy_steps: steps }) => steps),
  clean: cleanStepsResult.transform(({ clean_steps: steps }) => steps),
  service: serviceStepsResult.transform(({ service_steps: steps }) => steps),
}

function fetched(drive: ConfigDriveReference, on: StepContext): Promise<string> {
  return on.images.configDrive(drive, {
    commandOf: on.plan.id,
    signal: on.signal,
    trouble: (text) => on.note(`waiting for the config drive: ${text}`),
  })
}
