import { createHash } from 'node:crypto'
import { compare } from 'bcryptjs'
import { type Caller, operator } from '../../contract/identity.ts'
import { callerOf, sessionOf } from '../identity/session.ts'
import type { Platform } from '../platform.ts'
import type { ApiConfig } from './config.ts'

/** Who calls, by the headers of a request. One for each strategy of authentication. */
export interface Authentication {
  /** Undefined: they didn't say, or not rightly. */
  caller(header: (name: string) => string | undefined): Promise<Caller | undefined>
  /** What to tell such a one, and the WWW-Authenticate header for it. */
  refusal: string
  challenge(base: string): string
}

export function authenticationOf(platform: Platform, { auth }: ApiConfig): Authentication | undefined {
  if (auth.strategy === 'noauth') return undefined
  return auth.strategy === 'http_basic' ? basic(auth.htpasswd) : keystone(platform, auth)
}

function keystone(platform: Platform, config: Extract<ApiConfig['auth'], { strategy: 'keystone' }>): Authentication {
  return {
    refusal: 'Authorization required: get a token from /identity/v3/auth/tokens and send it as X-Auth-Token.',
    challenge: (base) => `Keystone uri="${base}/identity"`,
    async caller(header) {
      const token = header('x-auth-token')
      const session = token === undefined ? undefined : await sessionOf({ ...platform, config }, token)
      return session && callerOf(session)
    },
  }
}

/** Of nobody's password, so that an unknown user takes as long as a wrong password. */
const DECOY = '$2b$10$5xVvTZLrN1GUh4HkN8iw5O67mewY.boeEtEf/L.DnLCb2eEV.rwDO'
const REMEMBER = 1000

/** bcrypt is slow by design, so that what was right once is remembered by digest. */
function basic(htpasswd: string): Authentication {
  const users = parseUsers(htpasswd)
  const right = new Map<string, Caller>()
  return {
    refusal: 'Authorization required: give a user name and password of this service.',
    challenge: () => 'Basic realm="Baremetal API"',
    async caller(header) {
      const encoded = /^basic ([A-Za-z0-9+/=]{1,1024})$/i.exec(header('authorization') ?? '')?.[1]
      if (encoded === undefined) return undefined
      const digest = createHash('sha256').update(encoded).digest('hex')
      const known = right.get(digest)
      if (known !== undefined) return known
      const [, user, password] = /^([^:]*):(.*)$/s.exec(Buffer.from(encoded, 'base64').toString('utf8')) ?? []
      if (user === undefined || password === undefined) return undefined
      const matches = await compare(password, users.get(user) ?? DECOY)
      if (!matches || !users.has(user)) return undefined
      if (right.size >= REMEMBER) right.clear()
      const caller = operator(user)
      right.set(digest, caller)
      return caller
    },
  }
}

/** `user:hash` lines; comments and empty ones are skipped. */
export function parseUsers(htpasswd: string): Map<string, string> {
  const users = new Map<string, string>()
  for (const line of htpasswd.split('\n').map((each) => each.trim())) {
    if (line === '' || line.startsWith('#')) continue
    const colon = line.indexOf(':')
    const hash = line.slice(colon + 1)
    if (colon < 1 || !/^\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}$/.test(hash))
      throw new Error('htpasswd: a line is not user:bcrypt, as `htpasswd -B` writes it')
    users.set(line.slice(0, colon), hash)
  }
  return users
}
