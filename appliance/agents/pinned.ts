import { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { connect, type TLSSocket } from 'node:tls'

/** What is wrong with a certificate when its owner's clock, or ours, is. */
const ofClocks = new Set(['CERT_NOT_YET_VALID', 'CERT_HAS_EXPIRED'])

export interface PinnedOptions {
  host: string
  port: number
  /** PEM of the only certificate that is trusted, or of who signed it; undefined: public authorities are. */
  certificate: string | undefined
  signal: AbortSignal
}

/**
 * Resolves to a connection with whom the certificate belongs to. Ramdisks make theirs anew at each boot, by a clock that may be hours
 * off: of one that is known to the last bit the dates say nothing more, and don't count.
 */
export function connectPinned({ host, port, certificate, signal }: PinnedOptions): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      host,
      port,
      ca: certificate,
      // Checked below, before anything is sent.
      rejectUnauthorized: false,
      minVersion: 'TLSv1.2',
      ...(isIP(host) === 0 && { servername: host }),
    })
    const fail = (error: Error): void => {
      socket.destroy()
      reject(error)
    }
    const stop = (): void => fail(signal.reason as Error)
    signal.addEventListener('abort', stop, { once: true })
    if (signal.aborted) stop()
    socket.once('error', fail)
    socket.once('secureConnect', () => {
      const why = distrust(socket, certificate)
      if (why !== undefined) return fail(new Error(why))
      socket.off('error', fail)
      signal.removeEventListener('abort', stop)
      return resolve(socket)
    })
  })
}

function distrust(socket: TLSSocket, certificate: string | undefined): string | undefined {
  if (socket.authorized) return undefined
  const code = String(socket.authorizationError)
  if (ofClocks.has(code) && certificate !== undefined && shows(socket, certificate)) return undefined
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return 'its certificate is for another address'
  return `its certificate is not the one that the agent told this site (${code})`
}

function shows(socket: TLSSocket, certificate: string): boolean {
  try {
    return new X509Certificate(certificate).raw.equals(socket.getPeerCertificate().raw)
  } catch {
    return false
  }
}
