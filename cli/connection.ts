import { readFileSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { z } from 'zod'
import { createClient, type Client } from '../contract/api/client.ts'
import { withTokens } from './keystone.ts'
import { type OpenStack, openStackOf } from './openstack.ts'
import { UsageError } from './usage.ts'

/** Where the API is and who asks. Flags count more than the environment, and that more than the file. */
const stored = z.strictObject({
  endpoint: z.url({ protocol: /^https?$/ }).optional(),
  ca: z.string().min(1).optional(),
  username: z.string().min(1).optional(),
  password: z.string().min(1).optional(),
  /** Where callers are known by tokens: the project to act in; absent: the system as a whole. */
  project: z.string().min(1).optional(),
})
export type ConnectionSettings = z.infer<typeof stored>

const DEFAULT_ENDPOINT = 'http://127.0.0.1:6385'
const OTHERS_MAY_READ = 0o077

export interface Connection {
  client: Client
  openstack: OpenStack
  endpoint: string
  ca: string | undefined
}

export function connect(flags: ConnectionSettings, environment: NodeJS.ProcessEnv): Connection {
  const file = readStored(configPath(environment))
  const fromEnvironment = {
    endpoint: environment['BLOOMERY_ENDPOINT'],
    ca: environment['BLOOMERY_CA'],
    username: environment['BLOOMERY_USERNAME'],
    password: environment['BLOOMERY_PASSWORD'],
    project: environment['BLOOMERY_PROJECT'],
  }
  const { ca, username, password, project, ...found } = checked('the connection', {
    ...file,
    ...given(fromEnvironment),
    ...flags,
  })
  if (ca) trust(ca)
  if ((username === undefined) !== (password === undefined))
    throw new UsageError('a user name and a password belong together: set BLOOMERY_USERNAME and BLOOMERY_PASSWORD')
  const auth = username !== undefined && password !== undefined ? { username, password } : undefined
  const endpoint = found.endpoint ?? DEFAULT_ENDPOINT
  const send = auth ? withTokens(fetch, { endpoint, ...auth, project }) : fetch
  return { client: createClient({ endpoint, auth, fetch: send }), openstack: openStackOf(endpoint, send), endpoint, ca }
}

export function configPath(environment: NodeJS.ProcessEnv): string {
  return join(environment['XDG_CONFIG_HOME'] || join(homedir(), '.config'), 'bloomery', 'config.json')
}

/** Certificates are checked against this authority too, for the API and for uploads. */
function trust(path: string): void {
  let pem: string
  try {
    pem = readFileSync(path, 'utf8')
  } catch (cause) {
    throw new UsageError(`cannot read the authority's certificate ${path}`, { cause })
  }
  if (!pem.includes('-----BEGIN CERTIFICATE-----'))
    throw new UsageError(`${path} holds no certificate: the authority's is wanted, PEM (authorities.pem of the cloud)`)
  setDefaultCACertificates([...getCACertificates(), pem])
}

function readStored(path: string): ConnectionSettings {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch {
    return {}
  }
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch (cause) {
    throw new UsageError(`${path} is not JSON: correct or remove it`, { cause })
  }
  const settings = checked(path, parsed)
  if (settings.password !== undefined && (statSync(path).mode & OTHERS_MAY_READ) !== 0)
    throw new UsageError(`${path} holds a password that others may read: chmod 600 ${path}`)
  return settings
}

function checked(where: string, settings: unknown): ConnectionSettings {
  const parsed = stored.safeParse(settings)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]!
  throw new UsageError(`${where}: ${issue.path.join('.')} ${issue.message}`)
}

function given(settings: Record<string, string | undefined>): ConnectionSettings {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined && value !== ''))
}
