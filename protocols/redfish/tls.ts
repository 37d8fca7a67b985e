import { Agent, type AgentOptions } from 'node:https'
import type { Duplex } from 'node:stream'
import { connect, createSecureContext, type ConnectionOptions, type SecureContext, type TLSSocket } from 'node:tls'
import { TransportFault } from './transport.ts'

export interface TlsPolicy {
  /** True: by the system's authorities; text: by these (PEM); false: not at all. */
  verify: boolean | string
  /** SHA-256 of the BMC's own certificate, in hexadecimal: only this one, whoever signed it. */
  pin?: string
  minimumVersion?: 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3'
  ciphers?: string
}

/** A request is given up. While its connection is only being made the request can't end it: a BMC that takes connections and says nothing
 * would have one more each time it is asked. */
export interface Hurried {
  givenUp?: AbortSignal
}

export function agentFor(policy: TlsPolicy, kept: AgentOptions): Agent {
  const options: AgentOptions = {
    ...kept,
    rejectUnauthorized: policy.verify !== false && policy.pin === undefined,
    secureContext: contextOf(policy),
  }
  return policy.pin === undefined ? new Agent(options) : new PinningAgent(options, policy.pin)
}

const contexts = new Map<string, SecureContext>()
const MOST_CONTEXTS = 64

/** One for all BMCs that are trusted alike: each by itself would cost its megabytes of authorities again with every connection. */
function contextOf(policy: TlsPolicy): SecureContext {
  const made = {
    minVersion: policy.minimumVersion ?? 'TLSv1.2',
    ...ciphersOf(policy),
    ...(typeof policy.verify === 'string' ? { ca: policy.verify } : {}),
  } as const
  const key = JSON.stringify(made)
  const context = contexts.get(key) ?? createSecureContext(made)
  contexts.delete(key)
  contexts.set(key, context)
  // The one that was used longest ago goes first; connections keep their own.
  if (contexts.size > MOST_CONTEXTS) contexts.delete(contexts.keys().next().value!)
  return context
}

/** OpenSSL 3 does TLS 1.1, whose signatures are by SHA-1, only where it is told that this is weak and wanted. */
function ciphersOf({ ciphers, minimumVersion }: TlsPolicy): { ciphers?: string } {
  if (ciphers !== undefined) return { ciphers }
  return minimumVersion === 'TLSv1.1' ? { ciphers: 'DEFAULT@SECLEVEL=0' } : {}
}

/** The certificate is looked at before the socket is handed out: nothing, least of all a password, reaches another host. */
class PinningAgent extends Agent {
  readonly #pin: string

  constructor(options: AgentOptions, pin: string) {
    super({ ...options, maxCachedSessions: 0 })
    this.#pin = pin.replaceAll(':', '').toLowerCase()
  }

  override createConnection(
    options: ConnectionOptions & Hurried,
    callback?: (error: Error | null, stream: Duplex) => void,
  ): Duplex | null | undefined {
    const { givenUp, ...rest } = options
    const socket = connect({ ...rest, rejectUnauthorized: false })
    const giveUp = (): void => void socket.destroy(new TransportFault('silent', 'no answer'))
    givenUp?.addEventListener('abort', giveUp)
    socket.once('close', () => givenUp?.removeEventListener('abort', giveUp))
    socket.once('error', (error) => callback?.(error, socket))
    socket.once('secureConnect', () => {
      givenUp?.removeEventListener('abort', giveUp)
      if (fingerprint(socket) === this.#pin) callback?.(null, socket)
      else socket.destroy(new TransportFault('tls', "the BMC's TLS certificate is not the pinned one"))
    })
    return undefined
  }
}

function fingerprint(socket: TLSSocket): string {
  return socket.getPeerCertificate().fingerprint256.replaceAll(':', '').toLowerCase()
}
