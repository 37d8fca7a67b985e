import { expect, it } from 'vitest'
import { connect } from './client.ts'
import { settle } from './task.ts'
import { bmcWith, options, reply, type Trouble } from './testing/troubled-bmc.ts'
import { virtualClock } from './testing/virtual-clock.ts'

const TASK = '/redfish/v1/TaskService/Tasks/7'

/** What becomes of a task whose BMC tells this of it, look by look; the last again and again. */
async function outcomeOf(told: readonly Trouble[]): Promise<{ state: string; seconds: number }> {
  const clock = virtualClock()
  const { transport } = bmcWith(TASK, told.slice(0, -1), told.at(-1))
  const work = async () => {
    const bmc = await connect({ ...options, transport, clock })
    const begun = { ...(await bmc.send({ method: 'GET', path: TASK }, { operation: 'begin' })), status: 202 }
    return settle(bmc, { ...begun, location: TASK }, { operation: 'update firmware', timeoutMs: 600_000 })
  }
  const { state } = await clock.run(work())
  return { state, seconds: clock.now() / 1000 }
}
const task = (TaskState: string, TaskStatus = 'OK') => reply(200, { TaskState, TaskStatus })

it('a task is waited for until it says that it is over', async () => {
  const running = [task('New'), task('Running'), task('Service')]
  expect(await outcomeOf([...running, task('Completed')])).toEqual({ state: 'completed', seconds: 15 })
})

it.each([
  ['Exception', task('Exception', 'Critical'), /update firmware.*Exception, Critical/],
  ['completed, and critical all the same', task('Completed', 'Critical'), /update firmware.*Completed, Critical/],
  ['cancelled', task('Cancelled'), /update firmware.*Cancelled/],
])('one that failed is told as failed: %s', async (_name, end, problem) => {
  await expect(outcomeOf([task('Running'), task('Running'), end])).rejects.toThrow(problem)
})

it('one that never ends is given up at its deadline', async () => {
  await expect(outcomeOf([task('Running')])).rejects.toThrow(/Running, still after 600 s/)
})

it('one that the BMC has forgotten has vanished, which is for the caller to judge', async () => {
  expect(await outcomeOf([task('Running'), task('Running'), reply(404)])).toMatchObject({ state: 'vanished' })
})
