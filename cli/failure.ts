import { ApiError } from '../contract/api/client.ts'
import { exitCodes, UsageError } from './usage.ts'

/** What to tell of an error, and the code to end with. */
export function explain(error: unknown): [string, number] {
  if (error instanceof UsageError) return [error.message, exitCodes.usage]
  if (error instanceof ApiError && error.status === 401)
    return [
      `${error.message.replace(/\.$/, '')}: set BLOOMERY_USERNAME and BLOOMERY_PASSWORD, or correct them`,
      exitCodes.refused,
    ]
  if (error instanceof ApiError) return [error.message, exitCodes.refused]
  const unreached = fetchFailure(error)
  if (unreached)
    return [`cannot reach the API (${unreached.code ?? unreached.said}): ${remedy(unreached)}`, exitCodes.unreachable]
  if (error instanceof Error && error.name === 'TimeoutError')
    return ['the API did not answer in time: is --endpoint right?', exitCodes.unreachable]
  const { message, cause } = error as { message?: string; cause?: { message?: string } }
  return [cause?.message ? `${message} (${cause.message})` : (message ?? String(error)), exitCodes.failed]
}

export interface FetchFailure {
  /** Of Node or OpenSSL, such as ECONNREFUSED. */
  code?: string
  said: string
}

/** Why `fetch` had no answer: it says only that it failed, and hides the reason in its cause. */
export function fetchFailure(error: unknown): FetchFailure | undefined {
  if (!(error instanceof TypeError) || error.message !== 'fetch failed') return undefined
  const { code, message } = (error.cause ?? {}) as { code?: string; message?: string }
  return { ...(code !== undefined && { code }), said: message || code || 'no reason given' }
}

const remedies: Record<string, string> = {
  ECONNREFUSED: 'is `bloomery serve` running there, and is --endpoint right?',
  CERT_HAS_EXPIRED: 'its certificate has expired. One of `bloomery serve` is made anew at each start: start it again',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet: are the clocks right, here and there?',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak TLS: is it http://, or another port?',
  UND_ERR_SOCKET: 'it ended the connection: is it https://, or another port?',
  ENOTFOUND: 'that name is unknown: is --endpoint right?',
}

function remedy({ code, said }: FetchFailure): string {
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return `${said}. Call it by the name of its --public-url, which is in the certificate`
  if (code !== undefined && remedies[code] !== undefined) return remedies[code]
  if (code !== undefined && /CERT|SIGNATURE|ISSUER/.test(code))
    return 'say with --ca whose certificates are to be trusted'
  return 'is --endpoint right?'
}
