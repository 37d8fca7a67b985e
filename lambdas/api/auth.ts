import { createHash } from 'node:crypto'
import { compare } from 'bcryptjs'
import { createMiddleware } from 'hono/factory'
import type { ApiConfig } from './config.ts'
import type { Facts } from './context.ts'
import { faultReply } from './errors.ts'

/** Known without credentials: version documents, and enrolment, whose token is its own credential. */
const publicPaths = ['/', '/v1', '/v1/enrol']
/** Of nobody's password, so that an unknown user takes as long as a wrong password. */
const DECOY = '$2b$10$5xVvTZLrN1GUh4HkN8iw5O67mewY.boeEtEf/L.DnLCb2eEV.rwDO'
const REMEMBER = 1000

export function authentication(config: ApiConfig) {
  const isKnown = config.auth.strategy === 'noauth' ? undefined : checker(parseUsers(config.auth.htpasswd))
  return createMiddleware<Facts>(async (call, next) => {
    if (!isKnown || publicPaths.includes(call.req.path)) return next()
    const user = await isKnown(call.req.header('authorization'))
    if (user === undefined) {
      call.header('www-authenticate', 'Basic realm="Baremetal API"')
      return faultReply(call, 401, 'Authorization required: give a user name and password of this service.')
    }
    call.set('user', user)
    return next()
  })
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

/** The user of an Authorization header, or undefined. bcrypt is slow by design, so that what was right once is remembered by digest. */
function checker(users: Map<string, string>): (header: string | undefined) => Promise<string | undefined> {
  const right = new Map<string, string>()
  return async (header) => {
    const encoded = /^basic ([A-Za-z0-9+/=]{1,1024})$/i.exec(header ?? '')?.[1]
    if (encoded === undefined) return undefined
    const digest = createHash('sha256').update(encoded).digest('hex')
    const known = right.get(digest)
    if (known !== undefined) return known
    const [, user, password] = /^([^:]*):(.*)$/s.exec(Buffer.from(encoded, 'base64').toString('utf8')) ?? []
    if (user === undefined || password === undefined) return undefined
    const matches = await compare(password, users.get(user) ?? DECOY)
    if (!matches || !users.has(user)) return undefined
    if (right.size >= REMEMBER) right.clear()
    right.set(digest, user)
    return user
  }
}
