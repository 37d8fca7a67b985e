import { z } from 'zod'
import { UserError } from '../../contract/api/faults.ts'
import { stepArguments } from '../../contract/step-arguments.ts'
import { seal } from '../../contract/seal.ts'
import { vendorMethods, type VendorQuestion, type VendorStep } from '../../contract/vendor.ts'
import type { Node } from '../../contract/resources.ts'
import type { Platform } from '../platform.ts'
import { appliancesOf } from '../store/appliances.ts'
import { answerOf } from './ask-answer.ts'
import { askSite } from './ask-bmc.ts'
import { readJson } from './body.ts'
import type { Api, Call } from './context.ts'
import { knownDriver, unknownDriver } from './drivers.ts'
import { nodeOf } from './find.ts'
import { bodyOfGet } from './get-body.ts'
import { settled } from './settle.ts'

const verbs = ['GET', 'POST', 'PUT', 'DELETE'] as const

/** Methods that a vendor interface has beyond Ironic's own. No driver has any that need no node. */
export function vendorRoutes(app: Api, platform: Platform): void {
  const path = '/v1/nodes/:ident/vendor_passthru'
  app.get(`${path}/methods`, async (call) => {
    const node = await nodeOf(platform, call.req.param('ident'), call.var.minor)
    const methods = Object.entries(methodsOf(node)).map(([name, { facts }]) => [name, facts])
    return call.json(Object.fromEntries(methods))
  })
  app.get('/v1/drivers/:name/vendor_passthru/methods', (call) => {
    knownDriver(call.req.param('name'), unknownDriver)
    return call.json({})
  })
  for (const verb of verbs) {
    for (const route of [path, `${path}/:method`])
      app.on(verb, route, async (call) => {
        const node = await nodeOf(platform, call.req.param('ident') ?? '', call.var.minor)
        return invoke(platform, call, verb, node)
      })
    for (const route of ['/v1/drivers/:name/vendor_passthru', '/v1/drivers/:name/vendor_passthru/:method'])
      app.on(verb, route, (call) => {
        knownDriver(call.req.param('name') ?? '')
        throw new UserError(400, `No handler for method ${methodName(call)}`)
      })
  }
}

function methodsOf({ vendor_interface: name }: Node) {
  return (name === null ? undefined : vendorMethods[name]) ?? {}
}

function methodName(call: Call): string {
  const name = call.req.param('method') ?? call.req.query('method')
  if (!name) throw new UserError(400, 'Missing mandatory parameter: method')
  return name
}

async function invoke(platform: Platform, call: Call, verb: (typeof verbs)[number], node: Node): Promise<Response> {
  const name = methodName(call)
  const methods = methodsOf(node)
  const method = Object.hasOwn(methods, name) ? methods[name] : undefined
  if (!method) throw new UserError(400, `No handler for method ${name}`)
  const { facts, does } = method
  if (!facts.http_methods.includes(verb)) throw new UserError(400, `The method ${name} does not support HTTP ${verb}`)
  const body = verb === 'GET' ? await bodyOfGet(call) : await readJson(call)
  const given = typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : {}
  if ('step' in does) {
    const { uuid } = await settled(platform, node)
    await askSite(platform, call, uuid, { step: does.step, args: argumentsFor(does, given) }, (now) => {
      // Meanwhile somebody may have given it another interface.
      if (methodsOf(now)[name] !== method) throw new UserError(400, `No handler for method ${name}`)
    })
    return call.body(null, 202)
  }
  if ('asks' in does) {
    const { method: _named, ...query } = call.req.query()
    const asked = { ...query, ...given }
    const request = { step: does.asks, args: await questionFor(platform, node, does, asked) }
    const body = await answerOf(platform, call, node, request, (now) => {
      if (methodsOf(now)[name] !== method) throw new UserError(400, `No handler for method ${name}`)
    })
    return call.json(body)
  }
  const { bar } = given
  if (bar === undefined || bar === null || bar === '')
    throw new UserError(400, `Parameter 'bar' not passed to method '${name}'.`)
  return facts.async ? call.body(null, 202) : call.json(bar === does.word)
}

async function questionFor(
  { table }: Platform,
  node: Node,
  { asked, sealedAs }: VendorQuestion,
  given: Record<string, unknown>,
): Promise<Record<string, unknown>> {
  const args = asked.safeParse(given)
  if (!args.success) throw new UserError(400, args.error.issues[0]!.message)
  if (sealedAs === undefined) return args.data
  const site = await appliancesOf(table, node.conductor_group)
  const keys = site.map(({ uuid, sealing_key }) => ({ appliance: uuid, key: sealing_key }))
  return { [sealedAs]: seal(JSON.stringify(args.data), `${node.uuid}/${sealedAs}`, keys) }
}

function argumentsFor({ step, asked }: VendorStep, given: Record<string, unknown>): Record<string, unknown> {
  if (step === 'vendor.send_raw' && !given['raw_bytes'])
    throw new UserError(400, 'Parameter raw_bytes (string of bytes) was not specified.')
  const args = (asked ?? stepArguments[step]).safeParse(given)
  if (!args.success) throw new UserError(400, `The arguments are wrong: ${z.prettifyError(args.error)}`)
  return args.data as Record<string, unknown>
}
