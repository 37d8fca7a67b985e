import { randomUUID, X509Certificate } from 'node:crypto'
import { getRequestListener } from '@hono/node-server'
import { Hono } from 'hono'
import type { Authority } from './authority.ts'
import { callerOf } from './door.ts'
import type { Mosquitto, Rights } from './mosquitto.ts'
import type { Permits } from './permissions.ts'
import { serve, type Serving } from './serve.ts'

const ARN = 'arn:aws:iot:us-east-1:000000000000'

interface Certificate {
  arn: string
  /** In the certificate; the broker knows its holder by it. */
  commonName: string
  status: string
  policies: Set<string>
  thing: string | undefined
  admitted: boolean
}

/** The few calls of IoT Core that the cloud makes, with a real authority and a real broker behind them. `rightsOf` reads a policy for
 * a thing of that name. As with IoT, a certificate opens something while it is active, has a policy and is a thing's. */
export async function startIot(
  authority: Authority,
  broker: Mosquitto,
  permits: Permits,
  rightsOf: (policy: string, thing: string) => Rights,
): Promise<Serving> {
  const certificates = new Map<string, Certificate>()
  const things = new Set<string>()
  const app = new Hono()

  const certificateOf = (arn: string | undefined): Certificate => {
    const found = certificates.get(arn?.slice(arn.lastIndexOf('/') + 1) ?? '')
    if (!found) throw new NotFound(`no certificate ${arn}`)
    return found
  }
  const admit = async (certificate: Certificate): Promise<void> => {
    const [policy] = certificate.policies
    const { thing, commonName, admitted } = certificate
    const rights = certificate.status === 'ACTIVE' && policy && thing ? rightsOf(policy, thing) : undefined
    certificate.admitted = rights !== undefined
    if (rights && !admitted) await broker.allow(commonName, rights)
    if (!rights && admitted) await broker.forbid(commonName)
  }

  app.use(async (c, next) => {
    const url = new URL(c.req.url)
    const caller = callerOf({ headers: c.req.header(), url })
    const [action, resource] = needed(c.req.method, url.pathname)
    if (permits(caller, `iot:${action}`, resource === '*' ? resource : `${ARN}:${resource}`)) return next()
    const message = `${caller} is not authorized to perform: iot:${action} on resource: ${resource}`
    return c.json({ message }, 403, { 'x-amzn-errortype': 'AccessDeniedException' })
  })
  app.get('/endpoint', (c) => c.json({ endpointAddress: broker.address }))
  app.post('/things/:thing', (c) => {
    things.add(c.req.param('thing'))
    return c.json({ thingName: c.req.param('thing') })
  })
  app.post('/certificates', async (c) => {
    const { certificateSigningRequest } = await c.req.json<{ certificateSigningRequest: string }>()
    const commonName = randomUUID()
    let pem: string
    try {
      pem = await authority.client(certificateSigningRequest, commonName)
    } catch (error) {
      return c.json({ message: String(error) }, 400, { 'x-amzn-errortype': 'InvalidRequestException' })
    }
    const certificateId = new X509Certificate(pem).fingerprint256.replaceAll(':', '').toLowerCase()
    const arn = `${ARN}:cert/${certificateId}`
    const status = c.req.query('setAsActive') === 'true' ? 'ACTIVE' : 'INACTIVE'
    certificates.set(certificateId, { arn, commonName, status, policies: new Set(), thing: undefined, admitted: false })
    return c.json({ certificateArn: arn, certificateId, certificatePem: pem })
  })
  app.put('/certificates/:id', async (c) => {
    const certificate = certificateOf(c.req.param('id'))
    certificate.status = c.req.query('newStatus') ?? ''
    await admit(certificate)
    return c.body(null, 200)
  })
  app.on(['PUT', 'POST'], '/target-policies/:policy', async (c) => {
    const certificate = certificateOf((await c.req.json<{ target: string }>()).target)
    if (c.req.method === 'PUT') certificate.policies.add(c.req.param('policy'))
    else certificate.policies.delete(c.req.param('policy'))
    await admit(certificate)
    return c.body(null, 200)
  })
  app.on(['PUT', 'DELETE'], '/things/:thing/principals', async (c) => {
    const thing = c.req.param('thing')
    if (!things.has(thing)) throw new NotFound(`no thing ${thing}`)
    const certificate = certificateOf(c.req.header('x-amzn-principal'))
    certificate.thing = c.req.method === 'PUT' ? thing : undefined
    await admit(certificate)
    return c.json({})
  })
  app.get('/things/:thing/principals', (c) => {
    const own = [...certificates.values()].filter(({ thing }) => thing === c.req.param('thing'))
    return c.json({ principals: own.map(({ arn }) => arn) })
  })
  app.post('/topics/:topic', async (c) => {
    const payload = Buffer.from(await c.req.arrayBuffer())
    await broker.cloud.publishAsync(c.req.param('topic'), payload, { qos: 1 })
    return c.json({ message: 'OK' })
  })
  app.onError((error, c) => {
    if (!(error instanceof NotFound)) return c.json({ message: String(error) }, 500)
    return c.json({ message: error.message }, 404, { 'x-amzn-errortype': 'ResourceNotFoundException' })
  })
  const listener = getRequestListener(app.fetch)
  return serve((incoming, outgoing) => void listener(incoming, outgoing))
}

class NotFound extends Error {}

/** The action that a call counts as, and its resource. */
function needed(method: string, path: string): [string, string] {
  const [kind = '', name = '', more] = path.slice(1).split('/').map(decodeURIComponent)
  if (kind === 'topics') return ['Publish', `topic/${name}`]
  if (kind === 'endpoint') return ['DescribeEndpoint', '*']
  if (kind === 'certificates') return name ? ['UpdateCertificate', `cert/${name}`] : ['CreateCertificateFromCsr', '*']
  if (kind === 'target-policies') return [method === 'PUT' ? 'AttachPolicy' : 'DetachPolicy', `policy/${name}`]
  if (more !== 'principals') return ['CreateThing', `thing/${name}`]
  if (method === 'GET') return ['ListThingPrincipals', `thing/${name}`]
  return [method === 'PUT' ? 'AttachThingPrincipal' : 'DetachThingPrincipal', '*']
}
