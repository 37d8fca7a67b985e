import { type FaultKind, TransportFault } from './transport.ts'

const kinds: Readonly<Record<string, FaultKind>> = {
  ENOTFOUND: 'name',
  EAI_AGAIN: 'name',
  ECONNREFUSED: 'refused',
  EHOSTUNREACH: 'refused',
  ENETUNREACH: 'refused',
  EHOSTDOWN: 'refused',
  ECONNRESET: 'reset',
  EPIPE: 'reset',
  ECONNABORTED: 'reset',
  ETIMEDOUT: 'silent',
  EPROTO: 'tls',
  CERT_HAS_EXPIRED: 'tls',
  CERT_NOT_YET_VALID: 'tls',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'tls',
  SELF_SIGNED_CERT_IN_CHAIN: 'tls',
  UNABLE_TO_GET_ISSUER_CERT: 'tls',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'tls',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'tls',
  CERT_UNTRUSTED: 'tls',
  CERT_REVOKED: 'tls',
}

const words: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: "the BMC's TLS certificate has expired",
  CERT_NOT_YET_VALID: "the BMC's TLS certificate is not valid yet (compare the clocks)",
  DEPTH_ZERO_SELF_SIGNED_CERT: "the BMC's TLS certificate is self-signed",
  ERR_TLS_CERT_ALTNAME_INVALID: "the BMC's TLS certificate is for another name",
}

/** What a failure of node's HTTP means for the request. */
export function faultOf(error: unknown, reused: boolean): TransportFault {
  if (error instanceof TransportFault) return error
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const kind = kinds[code] ?? (/^(ERR_TLS|ERR_SSL|CERT_)/.test(code) ? 'tls' : 'reset')
  const problem = words[code] ?? (kind === 'tls' ? `TLS with the BMC fails (${code})` : describe(kind, code))
  return new TransportFault(kind === 'reset' && reused ? 'stale' : kind, problem, error)
}

function describe(kind: FaultKind, code: string): string {
  const known: Partial<Record<FaultKind, string>> = {
    name: 'its host name is not known',
    refused: 'no connection',
    silent: 'no answer',
    reset: 'the connection broke',
  }
  return `${known[kind] ?? 'no HTTP answer'}${code && ` (${code})`}`
}
