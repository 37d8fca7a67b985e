import type { Redfish, Resource } from './client.ts'
import { NotOffered } from './error.ts'
import { listAt, objectAt, textAt, textsAt } from './json.ts'

/** An action of a resource (DSP0266 §7.9). */
export interface Action {
  readonly target: string
  readonly body: unknown
}

export function actionAt(from: Resource, name: string): Action | undefined {
  const body = objectAt(from.body, 'Actions', name)
  const target = textAt(body, 'target')
  return target === undefined ? undefined : { target, body }
}

export function requiredAction(bmc: Redfish, from: Resource, name: string, operation: string): Action {
  const action = actionAt(from, name)
  if (action) return action
  throw new NotOffered(bmc.subject(operation), `the BMC has no action ${name} at ${from.path}; update its firmware`)
}

/** What the BMC says that a parameter can be: beside the action, or in its ActionInfo. Empty when it doesn't say. */
export async function allowedValues(
  bmc: Redfish,
  { body }: Action,
  parameter: string,
  operation: string,
): Promise<readonly string[]> {
  const beside = textsAt(body, `${parameter}@Redfish.AllowableValues`)
  const info = textAt(body, '@Redfish.ActionInfo')
  if (beside.length > 0 || info === undefined) return beside
  const parameters = listAt((await bmc.get(info, operation)).body, 'Parameters')
  return textsAt(
    parameters.find((each) => textAt(each, 'Name') === parameter),
    'AllowableValues',
  )
}
