import { Refusal } from './machine.ts'
import { collection, ref, type Result, type Route } from './route.ts'
import { nextId, type State, type Task, type TaskEnd } from './state.ts'

const SERVICE = '/redfish/v1/TaskService'

/** DSP0266 §12.2: the monitor answers 202 until the end. */
export function taskRoutes(state: State): Route[] {
  const { tasks } = state
  const find = (id: string | undefined): Task => {
    const task = tasks.get(id ?? '')
    if (!task) throw new Refusal(404, 'ResourceMissingAtURI', [id ?? ''])
    if (task.finish && state.clock.now() >= task.endsAt) {
      task.told = task.finish()
      task.finish = undefined
    }
    return task
  }
  return [
    {
      path: SERVICE,
      get: () => ({
        '@odata.type': '#TaskService.v1_1_4.TaskService',
        Id: 'TaskService',
        Name: 'Tasks',
        ServiceEnabled: true,
        Status: { State: 'Enabled', Health: 'OK' },
        CompletedTaskOverWritePolicy: 'Oldest',
        LifeCycleEventOnTaskStateChange: false,
        Tasks: ref(`${SERVICE}/Tasks`),
      }),
    },
    {
      path: `${SERVICE}/Tasks`,
      get: () =>
        collection(
          'TaskCollection',
          'Tasks',
          [...tasks.keys()].map((id) => `${SERVICE}/Tasks/${id}`),
        ),
    },
    { path: `${SERVICE}/Tasks/:id`, get: ({ at }) => viewTask(find(at['id'])) },
    {
      path: `${SERVICE}/TaskMonitors/:id`,
      status: ({ at }) => (find(at['id']).finish ? 202 : 200),
      get: ({ at }) => viewTask(find(at['id'])),
    },
  ]
}

/** The effect comes with the end, which is seen when somebody looks. */
export function begin(state: State, name: string, ms: number, effect: () => unknown): Result {
  const id = nextId(state)
  const task: Task = {
    id,
    name,
    beganAt: new Date().toISOString(),
    endsAt: state.clock.now() + ms,
    finish: () => {
      const told = effect()
      return typeof told === 'object' && told !== null ? (told as TaskEnd) : {}
    },
    told: {},
  }
  state.tasks.set(id, task)
  return {
    status: 202,
    headers: { location: `${SERVICE}/TaskMonitors/${id}`, 'retry-after': '1' },
    // Without @odata.id: sushy would poll the task there, where 200 is no news, instead of the monitor.
    body: viewTask(task),
  }
}

function viewTask({ id, name, beganAt, finish, told, oem }: Task) {
  if (told.body) return told.body
  return {
    '@odata.type': '#Task.v1_5_1.Task',
    Id: id,
    Name: name,
    Description: name,
    StartTime: beganAt,
    ...(finish ? {} : { EndTime: new Date().toISOString() }),
    TaskMonitor: `${SERVICE}/TaskMonitors/${id}`,
    TaskState: finish ? 'Running' : 'Completed',
    TaskStatus: 'OK',
    PercentComplete: finish ? 50 : 100,
    Messages: told.messages ?? [],
    ...(oem ? { Oem: oem } : {}),
  }
}
