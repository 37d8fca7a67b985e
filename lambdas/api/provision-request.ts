import { z } from 'zod'
import { UserError } from '../../contract/api/faults.ts'
import { configDriveSource } from '../../contract/config-drive.ts'
import { type ProvisionEvent, type Verb, verbs } from '../../contract/provision.ts'
import { jsonObject, type Node } from '../../contract/resources.ts'
import { boolean } from '../../contract/stored.ts'
import { stepOptions } from '../../contract/steps-of-people.ts'
import type { Call } from './context.ts'
import { requireVersion } from './microversion.ts'

/** The body of PUT states/provision (reference §1.6.4), and which of its keys go with which verb. */

const interfaces = z.enum(['bios', 'deploy', 'firmware', 'management', 'power', 'raid', 'vendor'])
const named = { interface: interfaces, step: z.string().min(1).max(255) }
const steps = z.array(z.strictObject({ ...named, ...stepOptions, args: jsonObject.default({}) })).max(64)
const deploySteps = z
  .array(z.strictObject({ ...named, args: jsonObject, priority: z.int().nonnegative().max(10_000) }))
  .min(1)
  .max(64)

export const request = z.strictObject({
  target: z.string().max(32),
  configdrive: z.union([z.string(), configDriveSource]).nullish(),
  clean_steps: steps.nullish(),
  service_steps: steps.nullish(),
  deploy_steps: deploySteps.nullish(),
  rescue_password: z.string().max(255).nullish(),
  disable_ramdisk: boolean.nullish(),
  runbook: z.string().max(255).nullish(),
})
export type Request = z.infer<typeof request>

type Argument = Exclude<keyof Request, 'target'>
const allowedWith: Record<Argument, readonly ProvisionEvent[]> = {
  configdrive: ['deploy', 'rebuild'],
  deploy_steps: ['deploy', 'rebuild'],
  clean_steps: ['clean'],
  service_steps: ['service'],
  rescue_password: ['rescue'],
  disable_ramdisk: ['clean', 'service'],
  runbook: ['clean', 'service'],
}

/** What a request must be new enough for, beside its verb. */
function needed(event: ProvisionEvent, state: Node['provision_state'], asked: Request): [string, number][] {
  const on = (is: boolean, what: string, since: number): [string, number][] => (is ? [[what, since]] : [])
  return [
    ...on(isGiven(asked.deploy_steps), 'deploy_steps', 69),
    ...on(isGiven(asked.disable_ramdisk), 'disable_ramdisk', event === 'service' ? 108 : 70),
    ...on(isGiven(asked.runbook), 'runbook', 92),
    ...on(event === 'abort' && state === 'inspect wait', 'abort of an inspection', 41),
    ...on(event === 'abort' && state === 'wait call-back', 'abort of a deployment', 110),
  ]
}

/** Deploying was asked for as `active` before 1.73, and messages still call it that. */
const targetOf = (event: ProvisionEvent): string => (event === 'deploy' ? 'active' : event)

const isGiven = (value: unknown): boolean => value !== undefined && value !== null

export function checkArguments(call: Call, verb: Verb, node: Node, asked: Request): void {
  const event = verbs[verb]
  for (const [name, events] of Object.entries(allowedWith))
    if (isGiven(asked[name as Argument]) && !events.includes(event))
      throw new UserError(
        400,
        name === 'configdrive'
          ? `Adding a config drive is only supported when setting provision state to active${call.var.minor < 35 ? '' : ', rebuild'}`
          : `"${name}" is only valid when setting target provision state to ${events.map(targetOf).join(' or ')}`,
      )
  checkConfigDrive(call, event, asked.configdrive)
  for (const [what, since] of needed(event, node.provision_state, asked))
    requireVersion(call, { [what]: since }, [what])
  if (event === 'clean' || event === 'service') checkSteps(verb, asked.runbook, asked[`${event}_steps`])
  if (event === 'rescue' && !asked.rescue_password?.trim())
    throw new UserError(400, 'A non-empty "rescue_password" is required when setting target provision state to rescue')
}

/** What config drives learned later is refused as a bad request before (not 406, as elsewhere). */
function checkConfigDrive(call: Call, event: ProvisionEvent, given: Request['configdrive']): void {
  if (!isGiven(given)) return
  const { minor } = call.var
  const isObject = typeof given === 'object' && given !== null
  if (event === 'rebuild' && minor < 35)
    throw new UserError(400, 'Adding a config drive is only supported when setting provision state to active')
  const newer = [
    [isObject, 'a JSON object for configdrive', 56],
    [isObject && 'vendor_data' in given, 'vendor_data in configdrive', 59],
  ] as const
  for (const [isUsed, what, since] of newer)
    if (isUsed && minor < since)
      throw new UserError(400, `Providing ${what} is only supported starting with API version 1.${since}`)
}

function checkSteps(verb: Verb, runbook: unknown, given: Request['clean_steps']): void {
  if (isGiven(runbook) && isGiven(given))
    throw new UserError(400, `Give either a runbook or "${verb}_steps", not both.`)
  if (!isGiven(runbook) && !given?.length)
    throw new UserError(400, `"${verb}_steps" is required when setting target provision state to ${verb}`)
}
