import { z } from 'zod'
import { HardwareError } from '../../../hardware-error.ts'

/** Requests to a registry, with the token that it asks for (Distribution Specification; the challenges are RFC 6750 §3 and RFC 7617 §2). */

const LARGEST_TOKEN = 64 * 1024
const tokenReply = z
  .looseObject({ token: z.string().min(1).optional(), access_token: z.string().min(1).optional() })
  .transform(({ token, access_token: other }) => token ?? other)
  .pipe(z.string().max(LARGEST_TOKEN))

export interface Registry {
  /** HOST[:PORT] */
  name: string
  repository: string
  /** `Basic`'s value. */
  credentials: string | undefined
  get: typeof fetch
}

/** As fetch; what a first request was refused for want of is got, and remembered. */
export function registryFetch({ name, repository, credentials, get }: Registry): typeof fetch {
  let authorization: string | undefined
  const asked = (url: Parameters<typeof fetch>[0], init: RequestInit | undefined): Promise<Response> => {
    const headers = new Headers(init?.headers)
    if (authorization !== undefined) headers.set('authorization', authorization)
    return get(url, { ...init, headers })
  }
  return async (url, init) => {
    const first = await asked(url, init)
    if (first.status !== 401) return first
    await first.body?.cancel()
    const challenge = readChallenge(first.headers.get('www-authenticate') ?? '')
    authorization = await answerTo(challenge, init?.signal ?? undefined)
    return asked(url, init)
  }

  async function answerTo(challenge: Challenge | undefined, signal: AbortSignal | undefined): Promise<string> {
    if (challenge?.scheme === 'basic' && credentials !== undefined) return `Basic ${credentials}`
    if (challenge?.scheme !== 'bearer' || challenge.realm === undefined) throw refused('wants credentials')
    const at = URL.canParse(challenge.realm) ? new URL(challenge.realm) : undefined
    if (at === undefined || !/^https?:$/.test(at.protocol)) throw refused('names no place for tokens')
    if (challenge.service !== undefined) at.searchParams.set('service', challenge.service)
    at.searchParams.set('scope', challenge.scope ?? `repository:${repository}:pull`)
    const headers: Record<string, string> = credentials === undefined ? {} : { authorization: `Basic ${credentials}` }
    const reply = await get(at, { headers, ...(signal && { signal }) })
    if (reply.status >= 500) throw new Error(`the token server of registry ${name} answers HTTP ${reply.status}`)
    if (!reply.ok) throw refused(`gives no token (HTTP ${reply.status})`)
    const token = tokenReply.safeParse(await json(reply)).data
    if (token === undefined || !/^[\x21-\x7e]+$/.test(token)) throw refused('gives a token without sense')
    return `Bearer ${token}`
  }

  function refused(what: string): HardwareError {
    const remedy =
      credentials === undefined
        ? "put one into the node's instance_info/image_pull_secret"
        : 'check image_pull_secret of the node'
    return new HardwareError(`registry ${name} ${what} for ${repository}: ${remedy}`)
  }
}

async function json(reply: Response): Promise<unknown> {
  const parts: Uint8Array[] = []
  let size = 0
  for await (const part of (reply.body ?? []) as AsyncIterable<Uint8Array>) {
    size += part.length
    if (size > LARGEST_TOKEN) return undefined
    parts.push(part)
  }
  try {
    return JSON.parse(Buffer.concat(parts).toString('utf8')) as unknown
  } catch {
    return undefined
  }
}

interface Challenge {
  scheme: string
  realm?: string
  service?: string
  scope?: string
}

/** `Bearer realm="…",service="…",scope="…"`, the first of a header's (RFC 9110 §11.6.1). */
function readChallenge(header: string): Challenge | undefined {
  const [, scheme, rest = ''] = /^\s*([A-Za-z]+)(?:\s+(.*))?$/s.exec(header.slice(0, 4096)) ?? []
  if (scheme === undefined) return undefined
  const found = [...rest.matchAll(/([a-z]+)="((?:[^"\\]|\\.)*)"/gi)]
  const values = Object.fromEntries(found.map(([, key = '', value = '']) => [key.toLowerCase(), value]))
  return { scheme: scheme.toLowerCase(), ...values }
}
