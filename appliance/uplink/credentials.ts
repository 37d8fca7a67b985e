import { createPrivateKey, X509Certificate } from 'node:crypto'
import type { CertificateTold, Renewed } from '../../contract/appliance-certificate.ts'
import { certificateRequest } from '../certificates.ts'
import type { Clock } from '../clock.ts'
import { writeIdentity } from '../identity-file.ts'
import type { Identity } from '../identity.ts'
import type { Log } from '../log.ts'
import { isRenewalDue } from './renewal-due.ts'

const ASK_MS = 60_000
const ASK_MOST_MS = 3_600_000
const RETRY_MS = 300_000
const MOST_REFUSALS = 3

export type Pair = Pick<Identity, 'certificate' | 'privateKey' | 'authorities'>

/** What the connection is made by, as the connection sees it. */
export interface ConnectionCredentials {
  /** For the attempt that begins now. */
  pair(): Pair
  connected(): void
  /** Of a connection, or of an attempt that came to none. */
  closed(): void
  /** A connection by another pair is wanted instead of the one that there is. */
  onChange(listener: () => void): void
}

export interface Credentials extends ConnectionCredentials {
  /** What the cloud is to know of the certificate, with a request for another when the time has come. */
  told(): Promise<CertificateTold>
  renewed(message: Renewed): void
  /** People should look at this. */
  onTrouble(listener: (text: string) => void): void
}

interface CredentialsParts {
  path: string
  identity: Identity
  clock: Pick<Clock, 'now'>
  log: Log
}

/** The appliance's certificate and the one that follows it. The former is kept until the new one has connected once, and while that has not
 * happened attempts take turns: whichever of them the broker takes, and wherever this program is killed, there is one that works. The cloud
 * retires the former only when it hears of the new one, which is said after this has been written. */
export function openCredentials({ path, identity, clock, log }: CredentialsParts): Credentials {
  const started = clock.now()
  let me = identity
  let attempt: 'own' | 'next' = me.next ? 'next' : 'own'
  let inUse: Pair = me
  let isConnected = false
  let nextFailed = false
  let refusals = 0
  let retryAt = 0
  let askAt = 0
  let wait = ASK_MS
  let asking: Promise<string> | undefined
  let change = (): void => {}
  let trouble = (_text: string): void => {}

  const keep = (after: Identity): void => {
    writeIdentity(path, after)
    me = after
  }

  function giveUp(why: string): void {
    const { asked: _, next: __, ...rest } = me
    keep(rest)
    askAt = clock.now().getTime() + ASK_MOST_MS
    refusals = 0
    log.error({ error: why }, 'renewed certificate not usable')
    trouble(
      `The certificate of this site's appliance could not be renewed: ${why}. It asks for another one in an hour.`,
    )
  }

  function takeOver(next: NonNullable<Identity['next']>): void {
    const { next: _, ...rest } = me
    keep({ ...rest, ...next })
    attempt = 'own'
    refusals = 0
    wait = ASK_MS
    log.info({ expires: next.life.expires_at }, 'certificate renewed')
  }

  async function request(): Promise<string> {
    if (me.asked) return me.asked.csr
    const asked = await certificateRequest(me.name)
    keep({ ...me, asked })
    return asked.csr
  }

  return {
    pair() {
      inUse = attempt === 'next' && me.next ? me.next : me
      return inUse
    },
    connected() {
      isConnected = true
      try {
        if (me.next && inUse === me.next) return takeOver(me.next)
        if (!me.next || !nextFailed) return
        nextFailed = false
        refusals += 1
        retryAt = clock.now().getTime() + RETRY_MS
        if (refusals >= MOST_REFUSALS)
          giveUp(`the broker refused the new one ${MOST_REFUSALS} times and takes the former`)
      } catch (error) {
        // Both are still on the disk, and tried again.
        log.error({ error: (error as Error).message, path }, "this appliance's identity could not be written")
      }
    },
    closed() {
      if (isConnected) attempt = 'next'
      else {
        nextFailed = attempt === 'next'
        attempt = nextFailed ? 'own' : 'next'
      }
      isConnected = false
      if (!me.next) attempt = 'own'
    },
    onChange: (listener) => {
      change = listener
    },
    onTrouble: (listener) => {
      trouble = listener
    },
    async told() {
      const sha256 = digestOf(inUse.certificate)
      const now = clock.now()
      if (me.next) {
        if (isConnected && inUse !== me.next && now.getTime() >= retryAt) change()
        return { sha256 }
      }
      if (now.getTime() < askAt || !isRenewalDue(me, spreadOf(sha256), now, started)) return { sha256 }
      askAt = now.getTime() + wait
      wait = Math.min(2 * wait, ASK_MOST_MS)
      try {
        asking ??= request()
        return { sha256, csr: await asking }
      } catch (error) {
        log.error({ error: (error as Error).message }, 'certificate could not be asked for')
        return { sha256 }
      } finally {
        asking = undefined
      }
    },
    renewed({ certificate, authorities, issued_at, expires_at }) {
      const { asked, ...rest } = me
      if (!asked) return
      const why = unusable(certificate, authorities, asked.privateKey)
      if (why !== undefined) return giveUp(why)
      const life = { issued_at, expires_at, received_at: clock.now().toISOString() }
      keep({ ...rest, next: { certificate, privateKey: asked.privateKey, authorities, life } })
      retryAt = 0
      change()
    },
  }
}

function digestOf(pem: string): string {
  return new X509Certificate(pem).fingerprint256.replaceAll(':', '').toLowerCase()
}

/** From 0 to 1. */
function spreadOf(sha256: string): number {
  return Number.parseInt(sha256.slice(0, 8), 16) / 0xffff_ffff
}

/** Why what the cloud sent can be no certificate for this key. Its dates are not looked at: they are the broker's to judge, by a better clock. */
function unusable(certificate: string, authorities: string, privateKey: string): string | undefined {
  try {
    if (!new X509Certificate(certificate).checkPrivateKey(createPrivateKey(privateKey)))
      return 'what the cloud sent is for another key'
    void new X509Certificate(authorities)
    return undefined
  } catch {
    return 'what the cloud sent is no certificate'
  }
}
