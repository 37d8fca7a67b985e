import { expect, it } from 'vitest'
import type { StepWork } from '../../agents/agents.ts'
import { machine, plan } from '../../testing/plans.ts'
import type { StepContext } from '../step.ts'
import { steps } from './table.ts'

async function given(name: 'deploy.burnin_cpu' | 'deploy.inject_files', args: object): Promise<unknown[]> {
  const told: unknown[] = []
  const driver_info = { ipmi_password: 'hush', agent_burnin_cpu_timeout: 60 }
  await steps[name](
    args as never,
    {
      plan: plan(machine({ driver_info }), 1, []),
      agents: {
        runStep: async (_: unknown, kind: string, { step, args: of, node }: StepWork) =>
          void told.push(kind, step, of, node),
      },
    } as unknown as StepContext,
  )
  return told
}

it('a burn-in shows the agent how long it is to last, and nothing else of driver_info', async () => {
  expect(await given('deploy.burnin_cpu', {})).toEqual([
    'clean',
    { interface: 'deploy', step: 'burnin_cpu' },
    {},
    { driver_info: { agent_burnin_cpu_timeout: 60 } },
  ])
})

it('files are injected by a deploy step of the agent, with the arguments of the plan', async () => {
  const files = [{ path: '/etc/motd', content: 'aGk=' }]
  expect(await given('deploy.inject_files', { files })).toEqual([
    'deploy',
    { interface: 'deploy', step: 'inject_files' },
    { files },
    undefined,
  ])
})
