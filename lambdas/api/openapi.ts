import { z } from 'zod'
import { captureRequest } from '../../contract/capture.ts'
import { typed } from '../../contract/console.ts'
import { documents } from '../../contract/api/documents.ts'
import { fieldSince, parameterSince, requiredOf } from '../../contract/api/matrix.ts'
import { retention } from './images.ts'
import { prefetchRequest } from '../../contract/images/prefetch.ts'
import { pushedChunks, pushedManifest, pushedPage } from '../../contract/images/push.ts'
import { MAXIMUM, MINIMUM, versionText } from '../../contract/api/versions.ts'
import { bulk } from './bulk.ts'
import type { Api } from './context.ts'
import { nodeCreation } from './node-input.ts'
import { permissions } from './permissions.ts'
import { portCreation } from './port-input.ts'
import { request as provisioning } from './provision-request.ts'
import { switchInput } from './site-switches.ts'
import { webhookCreation } from './webhook-input.ts'
import { replay } from './webhook-failures.ts'

/** The API as an OpenAPI 3.1 document, from the tables that serve it: routes and their rules, the matrix of versions, the schemas of
 * bodies. docs/openapi.json is a copy, which a test compares. */

type Json = Record<string, unknown>

let made: string | undefined
export function openApiRoutes(app: Api): void {
  app.get('/v1/openapi.json', (call) => {
    made ??= JSON.stringify(openApi())
    call.header('content-type', 'application/json')
    return call.body(made)
  })
}

const bodies: Readonly<Record<string, z.ZodType>> = {
  'POST /v1/nodes': nodeCreation,
  'POST /v1/ports': portCreation,
  'PUT /v1/nodes/:ident/states/provision': provisioning,
  'POST /v1/nodes/:ident/capture': captureRequest,
  'POST /v1/images/:ident/prefetch': prefetchRequest,
  'PUT /v1/images/:ident/retention': retention,
  'POST /v1/nodes/:ident/console/input': typed,
  'POST /v1/bulk/provision': bulk,
  'POST /v1/image_pushes/:push/chunks': pushedChunks,
  'PUT /v1/image_pushes/:push/pages/:page': pushedPage,
  'POST /v1/image_pushes/:push/complete': pushedManifest,
  'POST /v1/webhooks': webhookCreation,
  'PUT /v1/sites/:name/switches/:switch': switchInput,
  'POST /v1/webhooks/:webhook/failures/replay': replay,
}

export function openApi(): Json {
  const paths: Record<string, Json> = {}
  for (const route of Object.keys(permissions).toSorted()) {
    const [method, path] = route.split(' ') as [string, string]
    const shape = path.replaceAll(/:(\w+)/g, '{$1}')
    paths[shape] = { ...paths[shape], [method.toLowerCase()]: operation(method, path) }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Bloomery bare metal API',
      version: versionText(MAXIMUM),
      description: `Ironic's API, microversions ${versionText(MINIMUM)} to ${versionText(MAXIMUM)}. What needs a newer one than the oldest says so in x-since; x-rules names what a caller needs of.`,
    },
    servers: [{ url: '/' }],
    paths,
    components: {
      schemas: { ...schemas(), Fault: fault, JsonPatch: jsonPatch },
      parameters: { Microversion: version },
    },
  }
}

function schemas(): Json {
  const entries = Object.values(documents).map(({ name, schema, table }) => {
    const made = toJson(schema)
    const properties = made['properties'] as Record<string, Json>
    const since: Readonly<Record<string, number>> = table ? fieldSince[table] : {}
    for (const [field, minor] of Object.entries(since))
      if (properties[field]) properties[field] = { ...properties[field], 'x-since': versionText(minor) }
    return [name, made] as const
  })
  return Object.fromEntries(entries)
}

function operation(method: string, path: string): Json {
  const route = `${method} ${path}`
  const parts = path.split('/').filter((part) => part !== '')
  const needed = requiredOf(method, path)?.since
  const names = [...path.matchAll(/:(\w+)/g)].map(([, name]) => name as string)
  return {
    operationId: [method.toLowerCase(), ...parts.map((part) => part.replace(':', 'by_').replaceAll('.', '_'))].join(
      '_',
    ),
    tags: [parts[1] ?? 'root'],
    parameters: [
      { $ref: '#/components/parameters/Microversion' },
      ...names.map((name) => ({ name, in: 'path', required: true, schema: { type: 'string', maxLength: 255 } })),
      ...(isList(method, path) ? listParameters(parts.at(-1) ?? '') : []),
    ],
    ...bodyOf(method, path),
    responses: { ...success(method, path), default: content('An error.', ref('Fault')) },
    'x-rules': permissions[route],
    ...(needed === undefined ? {} : { 'x-since': versionText(needed) }),
  }
}

const isList = (method: string, path: string): boolean =>
  method === 'GET' && Object.hasOwn(documents, path.split('/').at(-1) ?? '')

function listParameters(collection: string): Json[] {
  const more: Readonly<Record<string, number>> = Object.hasOwn(parameterSince, collection)
    ? parameterSince[collection as keyof typeof parameterSince]
    : {}
  const common = ['limit', 'marker', 'sort_key', 'sort_dir', 'fields']
  return [...new Set([...common, ...Object.keys(more)])].map((name) => ({
    name,
    in: 'query',
    schema: name === 'limit' ? { type: 'integer', minimum: 1 } : { type: 'string' },
    ...(more[name] === undefined ? {} : { 'x-since': versionText(more[name]) }),
  }))
}

function bodyOf(method: string, path: string): Json {
  if (method === 'PATCH') return { requestBody: content('A JSON patch (RFC 6902).', ref('JsonPatch'), true) }
  const schema = bodies[`${method} ${path}`]
  if (schema) return { requestBody: content('What is asked for.', toJson(schema), true) }
  return method === 'POST' || method === 'PUT' ? { requestBody: content('What is asked for.', { type: 'object' }) } : {}
}

function success(method: string, path: string): Json {
  const parts = path.split('/')
  const own = documents[parts.at(-1) ?? '']
  const parent = parts.at(-1)?.startsWith(':') ? documents[parts.at(-2) ?? ''] : undefined
  if (method === 'DELETE') return { 204: { description: 'It is gone.' } }
  if (method === 'POST' && own) return { 201: content('It is made.', ref(own.name)) }
  if (own && method === 'GET') return { 200: content('A page.', page(parts.at(-1) ?? '', own.name)) }
  if (parent && (method === 'GET' || method === 'PATCH')) return { 200: content('The one.', ref(parent.name)) }
  if (method === 'GET') return { 200: content('What was asked for.', { type: 'object' }) }
  return { '2XX': { description: 'It is done, or begun.' } }
}

function page(collection: string, name: string): Json {
  const properties = {
    [collection]: { type: 'array', items: ref(name) },
    next: { type: 'string', format: 'uri', description: 'The next page, if there may be one.' },
  }
  return { type: 'object', properties, required: [collection] }
}

/** Transforms and checks in code have no JSON Schema; what they are given has. */
function toJson(schema: z.ZodType): Json {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })
  return rest
}

const ref = (name: string): Json => ({ $ref: `#/components/schemas/${name}` })

function content(description: string, schema: Json, required?: true): Json {
  return { description, ...(required && { required }), content: { 'application/json': { schema } } }
}

const fault = {
  type: 'object',
  properties: {
    error_message: { type: 'string', description: 'JSON: an object with faultcode, faultstring and debuginfo.' },
  },
}
const jsonPatch = {
  type: 'array',
  items: {
    type: 'object',
    properties: { op: { enum: ['add', 'replace', 'remove'] }, path: { type: 'string' }, value: {} },
    required: ['op', 'path'],
  },
}
const version = {
  name: 'X-OpenStack-Ironic-API-Version',
  in: 'header',
  schema: { type: 'string', pattern: String.raw`^(1\.\d{1,4}|latest)$` },
}
