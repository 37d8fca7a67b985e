import type { CipherSuiteId } from '@bloomery/ipmi/cipher-suite.ts'
import { connect, type ConnectOptions, type IpmiSession } from '@bloomery/ipmi/client.ts'
import { type Clock, systemClock } from '@bloomery/ipmi/clock.ts'
import { IpmiError, NoSupportedCipherSuite, TransportTimeout } from '@bloomery/ipmi/error.ts'
import { ping } from '@bloomery/ipmi/ping.ts'
import { type IpmiSocket, openIpmiSocket } from '@bloomery/ipmi/socket.ts'
import { openSol } from '@bloomery/ipmi/sol-client.ts'
import { createHash } from 'node:crypto'
import type { ConsoleEars, ConsoleLine } from '../consoles/line.ts'
import { HardwareError } from '../hardware-error.ts'
import { GaveWay } from '../health/look.ts'
import { bridgeOf, type IpmiInfo } from './ipmi-info.ts'

const TIMEOUT_MS = 20_000
const PING_MS = 1500
/** A BMC forgets a silent session after a minute (IPMI 2.0 §6.12.15); closed before that, its slot is free at once. One that is to be kept for
 * longer is kept alive. */
export const IPMI_IDLE_MS = 45_000
/** Some forget it after half of that. */
const KEEP_ALIVE_MS = 20_000
const MOST_OPEN = 4096
const MOST_SUITES = 16_384

interface Kept {
  /** Of all that it was opened with. */
  digest: string
  session: Promise<IpmiSession>
  /** Works that use it now. */
  users: number
  idleSince: number
  /** Nobody gets it any more; it is closed once nobody has it. */
  retired: boolean
}

/** Sessions with a site's BMCs: one each, shared, closed when idle, and only ever under what driver_info says now. */
export class IpmiSessions {
  readonly #socket: IpmiSocket = openIpmiSocket()
  readonly #kept = new Map<string, Kept>()
  /** Which suite was found best, so that the next log-in needs not ask. */
  readonly #suites = new Map<string, CipherSuiteId>()
  readonly #clock: Clock
  readonly #idleMs: number
  readonly #timeoutMs: number
  #cancelSweep: (() => void) | undefined

  constructor(options: { clock?: Clock; idleMs?: number | undefined; timeoutMs?: number } = {}) {
    const { clock = systemClock, idleMs = IPMI_IDLE_MS, timeoutMs = TIMEOUT_MS } = options
    this.#clock = clock
    this.#idleMs = idleMs
    this.#timeoutMs = timeoutMs
  }

  get open(): number {
    return this.#kept.size
  }

  async use<T>(info: IpmiInfo, work: (session: IpmiSession) => Promise<T>): Promise<T> {
    const kept = this.#take(info)
    kept.users += 1
    try {
      return await work(await kept.session)
    } catch (error) {
      // Whatever the BMC did wrong, the next attempt starts with a fresh session.
      const innocent = error instanceof GaveWay || error instanceof HardwareError || error instanceof RangeError
      if (!innocent) this.#retire(info, kept)
      throw asHardwareError(error)
    } finally {
      kept.users -= 1
      kept.idleSince = this.#clock.now()
      if (kept.retired && kept.users === 0) end(kept)
    }
  }

  /** For when the BMC has just been told to forget it. */
  drop(info: IpmiInfo): void {
    const kept = this.#kept.get(endpoint(info))
    if (kept) this.#retire(info, kept)
  }

  /** A session of its own, under this password; rejects as `connect` does. */
  async tryPassword(info: IpmiInfo, password: string): Promise<void> {
    const session = await this.#connect({ ...info, ipmi_password: password })
    await session.close()
  }

  /** The serial console, by a session of its own. Never taken from somebody who has it. */
  async console(info: IpmiInfo, ears: ConsoleEars): Promise<ConsoleLine> {
    try {
      const line = await openSol({
        ...this.#options(info, info.ipmi_cipher_suite ?? this.#suites.get(endpoint(info)) ?? 'auto'),
        onData: ears.data,
        onMark: ears.mark,
        onEnd: (reason) => reason && ears.lost(asHardwareError(reason) as Error),
      })
      return {
        write: (bytes) => line.write(bytes),
        sendBreak: () => line.sendBreak(),
        get suspended() {
          return line.state === 'suspended'
        },
        close: () => line.close(),
      }
    } catch (error) {
      throw asHardwareError(error)
    }
  }

  async close(): Promise<void> {
    this.#cancelSweep?.()
    const open = [...this.#kept.values()]
    this.#kept.clear()
    await Promise.allSettled(open.map(async ({ session }) => (await session).close()))
    await this.#socket.close()
  }

  #take(info: IpmiInfo): Kept {
    const key = endpoint(info)
    const digest = createHash('sha256').update(JSON.stringify(info)).digest('hex')
    const found = this.#kept.get(key)
    if (found?.digest === digest) {
      // The one that was used last is the last in order.
      this.#kept.delete(key)
      this.#kept.set(key, found)
      return found
    }
    if (found) this.#retire(info, found)
    const made = { digest, session: this.#connect(info), users: 0, idleSince: this.#clock.now(), retired: false }
    // Whoever waits for it hears of it.
    made.session.catch(() => undefined)
    this.#kept.set(key, made)
    this.#bound()
    this.#cancelSweep ??= this.#clock.after(this.#idleMs / 2, () => this.#sweep())
    return made
  }

  #retire(info: IpmiInfo, kept: Kept): void {
    const key = endpoint(info)
    if (this.#kept.get(key) === kept) this.#kept.delete(key)
    if (kept.retired) return
    kept.retired = true
    if (kept.users === 0) end(kept)
  }

  #sweep(): void {
    this.#cancelSweep = undefined
    const now = this.#clock.now()
    for (const [key, kept] of this.#kept) {
      if (kept.users > 0 || now - kept.idleSince < this.#idleMs) continue
      this.#kept.delete(key)
      end(kept)
    }
    if (this.#kept.size > 0) this.#cancelSweep = this.#clock.after(this.#idleMs / 2, () => this.#sweep())
  }

  #bound(): void {
    for (const [key, kept] of this.#kept) {
      if (this.#kept.size <= MOST_OPEN) return
      if (kept.users > 0) continue
      this.#kept.delete(key)
      end(kept)
    }
  }

  async #connect(info: IpmiInfo): Promise<IpmiSession> {
    const key = endpoint(info)
    const known = info.ipmi_cipher_suite === undefined ? this.#suites.get(key) : undefined
    try {
      const session = await this.#connectBy(info, info.ipmi_cipher_suite ?? known ?? 'auto')
      if (this.#suites.size < MOST_SUITES && session.cipherSuite !== undefined)
        this.#suites.set(key, session.cipherSuite as CipherSuiteId)
      return session
    } catch (error) {
      if (error instanceof TransportTimeout) throw (await this.#answersPings(info)) ? mute(info) : error
      if (known === undefined || !(error instanceof NoSupportedCipherSuite)) throw error
      this.#suites.delete(key)
      return this.#connectBy(info, 'auto')
    }
  }

  /** Somebody who is there and speaks no IPMI is another thing to see to than a silent one. */
  async #answersPings({ ipmi_address: host, ipmi_port: port }: IpmiInfo): Promise<boolean> {
    const pong = await ping({ socket: this.#socket, host, port }, PING_MS).catch(() => undefined)
    return pong !== undefined
  }

  #connectBy(info: IpmiInfo, cipherSuite: CipherSuiteId | 'auto'): Promise<IpmiSession> {
    return connect(this.#options(info, cipherSuite))
  }

  #options(of: IpmiInfo, cipherSuite: CipherSuiteId | 'auto'): ConnectOptions {
    return {
      socket: this.#socket,
      host: of.ipmi_address,
      port: of.ipmi_port,
      username: of.ipmi_username,
      password: of.ipmi_password,
      kg: of.ipmi_hex_kg_key === undefined ? undefined : Buffer.from(of.ipmi_hex_kg_key, 'hex'),
      privilege: of.ipmi_priv_level,
      protocolVersion: of.ipmi_protocol_version,
      cipherSuite,
      bridge: bridgeOf(of),
      timeoutMs: this.#timeoutMs,
      keepAliveMs: this.#idleMs > IPMI_IDLE_MS ? KEEP_ALIVE_MS : undefined,
    }
  }
}

function mute({ ipmi_address: host, ipmi_port: port }: IpmiInfo): IpmiError {
  const problem = 'it answers pings and nothing else: enable IPMI over LAN on it'
  return new IpmiError({ host, port, operation: 'log in' }, problem)
}

/** Of two machines behind one BMC, each has a session. */
function endpoint(info: IpmiInfo): string {
  return JSON.stringify([info.ipmi_address, info.ipmi_port, bridgeOf(info)])
}

function end({ session }: Kept): void {
  void session.then((open) => open.close()).catch(() => {})
}

export function asHardwareError(error: unknown): unknown {
  return error instanceof IpmiError || error instanceof RangeError
    ? new HardwareError(error.message, { cause: error.cause })
    : error
}
