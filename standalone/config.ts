import { isIP } from 'node:net'
import { z } from 'zod'
import { type ConductorOptions, parseConductorOptions } from '../contract/conductor-options.ts'

/** A flag and the environment say it in words, a file may say it outright. */
const yes = z.union([z.boolean(), z.stringbool()])

const atMost = z.coerce.number().int().min(1).max(100_000)

/** What `bloomery serve` can be told: by flag, by environment (BLOOMERY_ and the name in capitals) or in a JSON file. */
export const settings = z.strictObject({
  'data-dir': z.string().min(1).meta({ description: 'where everything is kept (default: ./bloomery-data)' }).optional(),
  host: z.string().min(1).meta({ description: 'address to listen on (default: 127.0.0.1)' }).optional(),
  port: z.coerce.number().int().min(0).max(65_535).meta({ description: 'of the API (default: 6385)' }).optional(),
  'broker-port': z.coerce
    .number()
    .int()
    .min(0)
    .max(65_535)
    .meta({ description: 'of the MQTT broker, always TLS (default: 8883)' })
    .optional(),
  'broker-host': z
    .string()
    .min(1)
    .meta({ description: 'address that the broker listens on (default: that of the API)' })
    .optional(),
  'public-url': z
    .url({ protocol: /^https?$/ })
    .meta({ description: 'where sites and people reach the API (default: the address listened on)' })
    .optional(),
  'public-broker-host': z
    .string()
    .min(1)
    .meta({ description: 'name or address by which sites reach the broker (default: that of the public URL)' })
    .optional(),
  auth: z
    .enum(['noauth', 'http_basic', 'keystone'])
    .meta({ description: 'noauth | http_basic | keystone (default: noauth)' })
    .optional(),
  htpasswd: z.string().min(1).meta({ description: 'file of users, bcrypt hashes, for http_basic' }).optional(),
  'token-seconds': z.coerce
    .number()
    .int()
    .min(60)
    .max(86_400)
    .meta({ description: 'how long a token of keystone is good for (default: 3600)' })
    .optional(),
  'max-deploys': atMost.meta({ description: 'deployments at once (default: no limit)' }).optional(),
  'max-deploys-per-site': atMost.meta({ description: 'deployments at once on one site' }).optional(),
  'max-cleans': atMost.meta({ description: 'tear-downs and cleanings at once (default: no limit)' }).optional(),
  'max-cleans-per-site': atMost.meta({ description: 'tear-downs and cleanings at once on one site' }).optional(),
  'webhook-networks': z
    .string()
    .transform((text) => text.split(',').map((each) => each.trim()))
    .pipe(z.array(z.union([z.cidrv4(), z.cidrv6()], 'not a comma list of networks such as 10.0.0.0/8')))
    .meta({
      description:
        'networks, beside the public Internet, that webhooks may reach and images be fetched from (CIDR, comma list; default: none)',
    })
    .optional(),
  'webhook-http': yes.meta({ description: 'webhooks by plain HTTP too (default: https only)' }).optional(),
  conductor: z
    .union([z.string(), z.record(z.string(), z.unknown()).transform((options) => JSON.stringify(options))])
    .meta({ description: 'JSON object of the conductor’s options, such as {"max_concurrent_deploy": 250}' })
    .optional(),
  'insecure-http': yes.meta({ description: 'plain HTTP on any address: TLS is done before it' }).optional(),
  'insecure-noauth': yes.meta({ description: 'no authentication on an address that is not loopback' }).optional(),
})
type Settings = z.infer<typeof settings>
const settingNames = settings.keyof().options

export interface Config {
  dataDir: string
  host: string
  port: number
  broker: { host: string; port: number; publicHost: string }
  /** Undefined: by the address and port listened on. */
  publicUrl: string | undefined
  names: string[]
  tls: boolean
  conductor: ConductorOptions
  /** Where webhooks may go. */
  webhooks: { networks: string[]; http: boolean }
  auth:
    | { strategy: 'noauth' }
    | { strategy: 'http_basic'; htpasswdFile: string }
    | { strategy: 'keystone'; tokenSeconds: number }
}

/** Later sources count more. Throws sentences that say what to change. */
export function configure(...sources: Array<Record<string, unknown>>): Config {
  const parsed = settings.safeParse(Object.assign({}, ...sources))
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!
    const what = issue.code === 'unrecognized_keys' ? issue.keys.join(', ') : issue.path.join('.')
    throw new Error(`configuration: ${what}: ${issue.message}`)
  }
  const given = parsed.data
  const host = given.host ?? '127.0.0.1'
  const local = isLoopback(host)
  const publicUrl = given['public-url']?.replace(/\/+$/, '')
  if (isWildcard(host) && !publicUrl)
    throw new Error(`--host ${host} is every address: say with --public-url which one sites and people shall use`)
  const publicHost = given['public-broker-host'] ?? (publicUrl ? new URL(publicUrl).hostname : host)
  const strategy = given.auth ?? 'noauth'
  if (strategy === 'noauth' && !local && !given['insecure-noauth'])
    throw new Error(
      `--host ${host} can be reached from elsewhere: use --auth keystone, or --auth http_basic --htpasswd FILE, or say --insecure-noauth`,
    )
  const names = [host, publicHost, ...(publicUrl ? [new URL(publicUrl).hostname] : []), 'localhost', '127.0.0.1']
  return {
    dataDir: given['data-dir'] ?? 'bloomery-data',
    host,
    port: given.port ?? 6385,
    broker: { host: given['broker-host'] ?? host, port: given['broker-port'] ?? 8883, publicHost },
    publicUrl,
    names: [...new Set(names.filter((name) => !isWildcard(name)).map((name) => name.replaceAll(/[[\]]/g, '')))],
    conductor: conductorOf(given),
    webhooks: { networks: given['webhook-networks'] ?? [], http: given['webhook-http'] ?? false },
    tls: !given['insecure-http'] && (!local || (publicUrl?.startsWith('https:') ?? false)),
    auth: authOf(strategy, given),
  }
}

/** The flags for limits are short for options of that meaning. */
function conductorOf(given: Settings): ConductorOptions {
  const whole = parseConductorOptions(given.conductor ?? '{}')
  return {
    ...whole,
    max_concurrent_deploy: given['max-deploys'] ?? whole.max_concurrent_deploy,
    max_concurrent_deploy_per_site: given['max-deploys-per-site'] ?? whole.max_concurrent_deploy_per_site,
    max_concurrent_clean: given['max-cleans'] ?? whole.max_concurrent_clean,
    max_concurrent_clean_per_site: given['max-cleans-per-site'] ?? whole.max_concurrent_clean_per_site,
  }
}

function authOf(strategy: NonNullable<Settings['auth']>, given: Settings): Config['auth'] {
  if (strategy === 'noauth') return { strategy }
  if (strategy === 'keystone') return { strategy, tokenSeconds: given['token-seconds'] ?? 3600 }
  if (given.htpasswd) return { strategy, htpasswdFile: given.htpasswd }
  throw new Error('--auth http_basic needs --htpasswd FILE (make one with: htpasswd -cB FILE USER)')
}

/** The settings in a process's environment. */
export function fromEnvironment(environment: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    settingNames.flatMap((name) => {
      const value = environment[`BLOOMERY_${name.toUpperCase().replaceAll('-', '_')}`]
      return value === undefined ? [] : [[name, value]]
    }),
  )
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}

function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || host === '::'
}
