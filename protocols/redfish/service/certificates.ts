import { pemAt } from '../certificate.ts'
import { createPrivateKey, webcrypto } from 'node:crypto'
import { linkAt, type JsonObject, textAt, textsAt } from '../json.ts'
import { certificateIn, certificateRoutes, certificatesAt } from './certificate-store.ts'
import { Refusal } from './machine.ts'
import { done, ref, type Route } from './route.ts'
import { httpsCertificatesPath, nextId, type State, systemPath } from './state.ts'

const SERVICE = '/redfish/v1/CertificateService'

/** DSP2046 CertificateService, and the certificates of HTTPS and of the firmware's boot. */
export function certificateServiceRoutes(state: State): Route[] {
  const https = httpsCertificatesPath(state)
  const own = certificatesAt(state, https)
  if (own.length === 0 && state.tls) own.push({ id: nextId(state), pem: state.tls.cert, owner: undefined })
  const [generate, replace] = ['GenerateCSR', 'ReplaceCertificate'].map(
    (name) => `${SERVICE}/Actions/CertificateService.${name}`,
  ) as [string, string]
  return [
    {
      path: SERVICE,
      get: () => ({
        '@odata.type': '#CertificateService.v1_0_4.CertificateService',
        Id: 'CertificateService',
        Name: 'Certificate service',
        CertificateLocations: ref(`${SERVICE}/CertificateLocations`),
        Actions: {
          '#CertificateService.GenerateCSR': { target: generate },
          '#CertificateService.ReplaceCertificate': { target: replace },
        },
      }),
    },
    {
      path: `${SERVICE}/CertificateLocations`,
      get: () => ({
        '@odata.type': '#CertificateLocations.v1_0_2.CertificateLocations',
        Id: 'CertificateLocations',
        Name: 'Certificate locations',
        Links: {
          Certificates: [...state.certificates].flatMap(([path, held]) => held.map(({ id }) => ref(`${path}/${id}`))),
        },
      }),
    },
    { path: generate, post: async ({ body }) => ({ status: 200, body: await request(state, body) }) },
    {
      path: replace,
      post: ({ body }) => {
        change(state, body)
        return done
      },
    },
    ...certificateRoutes(state, https),
    ...certificateRoutes(state, `${systemPath(state)}/Boot/Certificates`),
  ]
}

/** The key pair stays until a certificate of it comes. */
async function request(state: State, body: JsonObject): Promise<JsonObject> {
  const path = linkAt(body, 'CertificateCollection')
  const name = textAt(body, 'CommonName')
  if (path === undefined || !state.certificates.has(path) || name === undefined)
    throw new Refusal(400, 'ActionParameterMissing', ['GenerateCSR', 'CertificateCollection, CommonName'])
  await import('reflect-metadata')
  const { Pkcs10CertificateRequestGenerator, SubjectAlternativeNameExtension } = await import('@peculiar/x509')
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const names = textsAt(body, 'AlternativeNames').map((value) => ({
    type: /^[\d.]+$|:/.test(value) ? ('ip' as const) : ('dns' as const),
    value,
  }))
  const made = await Pkcs10CertificateRequestGenerator.create({
    name: [{ CN: [name] }, { O: [textAt(body, 'Organization') ?? 'Simulated'] }],
    keys,
    signingAlgorithm: algorithm,
    extensions: names.length === 0 ? [] : [new SubjectAlternativeNameExtension(names)],
  })
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64')
  state.requestedKeys.set(path, `-----BEGIN PRIVATE KEY-----\n${pkcs8}\n-----END PRIVATE KEY-----\n`)
  return { CSRString: made.toString('pem'), CertificateCollection: ref(path) }
}

function change(state: State, body: JsonObject): void {
  const uri = linkAt(body, 'CertificateUri') ?? textAt(body, 'CertificateUri') ?? ''
  const [, path = '', id = ''] = /^(.*)\/([^/]+)$/.exec(uri) ?? []
  const held = state.certificates.get(path)?.find((each) => each.id === id)
  if (!held) throw new Refusal(404, 'ResourceMissingAtURI', [uri])
  const { pem, key = state.requestedKeys.get(path), x509 } = certificateIn(pemAt(body, 'CertificateString'))
  if (path === httpsCertificatesPath(state)) {
    if (key === undefined || !fits(x509, key)) throw new Refusal(400, 'PropertyValueConflict', ['CertificateString'])
    state.tls = { cert: pem, key }
  }
  held.pem = pem
}

function fits(x509: ReturnType<typeof certificateIn>['x509'], key: string): boolean {
  try {
    return x509.checkPrivateKey(createPrivateKey(key))
  } catch {
    return false
  }
}
