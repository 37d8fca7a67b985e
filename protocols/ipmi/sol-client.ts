import { type ConnectOptions, openLive } from './client.ts'
import { type Clock, systemClock } from './clock.ts'
import type { ResponseOf } from './command.ts'
import { getDeviceId } from './commands.ts'
import { CommandFailed, IpmiError, type Subject } from './error.ts'
import { type Patience, subjectOf } from './exchange.ts'
import { keepAlive } from './keep-alive.ts'
import type { LiveSession } from './live-session.ts'
import { payloadTypes } from './packet.ts'
import { activatePayload, deactivatePayload, payloadCodes } from './sol-commands.ts'
import { SolLink } from './sol-link.ts'
import { MAX_CHARACTERS, operations, SOL_HEADER, statusFlags } from './sol-packet.ts'

export interface SolOptions extends ConnectOptions {
  instance?: number
  /** Takes the console from whoever has it. */
  takeOver?: boolean
  onData(this: void, bytes: Uint8Array): void
  /** The server sent a break, or the BMC lost characters. */
  onMark?(this: void, mark: 'break' | 'overrun'): void
  /** Undefined: it was closed from our side. Said once. */
  onEnd(this: void, reason: Error | undefined): void
}

/** The serial console of a BMC's server. */
export interface SolConsole {
  /** How many of the characters were taken; the rest are to be offered again later. */
  write(bytes: Uint8Array): number
  sendBreak(): void
  /** Forgets what the BMC and we have not yet sent, either way. */
  flush(): void
  /** `suspended`: the BMC takes no characters now; the machine is off, or its serial port is not attended. */
  readonly state: 'active' | 'suspended' | 'ended'
  close(): Promise<void>
}

/** The BMC has no console for us, or has it no longer. */
export class SolUnavailable extends IpmiError {}

const INPUT = 4096
const KEEP_ALIVE = 15_000
/** §15.11 leaves the console's retries to the console: ten seconds of silence are the end of it. */
const RETRY_MS = 500
const TRIES = 20
const SMALLEST = SOL_HEADER + 1

const reasons: Record<number, string> = {
  [payloadCodes.activeElsewhere]: 'another session has the console; close it there, or take it over',
  [payloadCodes.disabled]: 'serial over LAN is disabled; enable it in the SOL configuration of the BMC',
  [payloadCodes.limitReached]: 'the BMC has as many consoles open as it can',
  [payloadCodes.notEncrypted]: 'the BMC has no encrypted consoles; ask for a cipher suite without encryption',
  [payloadCodes.mustBeEncrypted]: 'the BMC wants its console encrypted; ask for a cipher suite with encryption',
  0xc1: 'the BMC knows no serial over LAN',
}

/** Logs in for the console alone (IPMI 2.0 §15): a session that is lost ends it, and the caller opens another. */
export async function openSol(options: SolOptions): Promise<SolConsole> {
  const { timeoutMs, clock = systemClock, instance = 1 } = options
  const { peer, live } = await openLive(options)
  const patience = (): Patience => ({ deadline: clock.now() + timeoutMs, seconds: timeoutMs / 1000 })
  const subject = subjectOf(peer, 'serial over LAN')
  const { payloads } = live
  try {
    if (!payloads) throw new SolUnavailable(subject, 'IPMI 1.5 has no serial over LAN; ask for IPMI 2.0')
    const { authenticated, encrypted } = payloads
    const which = { type: { payload: payloadTypes.sol }, instance: { number: instance } }
    const asked = { handshake: false, alerts: 0, test: false, authenticated, encrypted }
    const activate = (): Promise<ResponseOf<typeof activatePayload>> =>
      live.send(activatePayload, { ...which, sol: asked, reserved: new Uint8Array(3) }, patience())
    const granted = await activate().catch(async (error: unknown) => {
      if (!options.takeOver || !declined(error, payloadCodes.activeElsewhere)) throw error
      await live.send(deactivatePayload, { ...which, auxiliary: 0 }, patience())
      return activate()
    })
    if (granted.port !== peer.port && granted.port !== 0)
      throw new SolUnavailable(subject, `the BMC has its console on UDP port ${granted.port}; set it to ${peer.port}`)
    // §24.1: what the BMC takes in is what a console may send.
    const payloadSize = Math.max(granted.inbound || SOL_HEADER + MAX_CHARACTERS, SMALLEST)
    return new LiveConsole({ live, payloads, clock, options, payloadSize, subject, instance, patience })
  } catch (error) {
    await live.close()
    const reason = error instanceof CommandFailed ? reasons[error.completionCode] : undefined
    throw reason === undefined ? error : new SolUnavailable(subject, reason, { cause: error })
  }
}

interface ConsoleParts {
  live: LiveSession
  payloads: NonNullable<LiveSession['payloads']>
  clock: Clock
  options: SolOptions
  payloadSize: number
  subject: Subject
  instance: number
  patience(): Patience
}

class LiveConsole implements SolConsole {
  readonly #parts: ConsoleParts
  readonly #link: SolLink
  readonly #unhear: () => void
  #input = Buffer.alloc(0)
  #state: SolConsole['state'] = 'active'
  #lastFlags = 0
  readonly #letGo: () => void

  constructor(parts: ConsoleParts) {
    this.#parts = parts
    const { live, payloads, clock, options, subject, payloadSize } = parts
    const silence = 'the BMC acknowledges nothing any more; its session may be lost'
    this.#link = new SolLink({
      clock,
      payloadSize,
      tries: TRIES,
      retryMs: RETRY_MS,
      // A datagram that can't be sent now is one that is lost: it is repeated.
      send: (bytes) => void live.post(payloads.wrap(payloadTypes.sol, bytes)).catch(() => undefined),
      take: (most) => {
        const taken = this.#input.subarray(0, most)
        this.#input = this.#input.subarray(taken.length)
        return taken
      },
      deliver: (data) => {
        options.onData(data)
        return data.length
      },
      flags: () => 0,
      heard: (flags) => this.#heard(flags),
      lost: () => this.#end(new SolUnavailable(subject, silence)),
    })
    this.#unhear = live.hear(payloadTypes.sol, (payload) => this.#link.receive(payload))
    this.#letGo = keepAlive({
      clock,
      everyMs: KEEP_ALIVE,
      idleFor: () => live.idleFor(),
      ask: () => live.send(getDeviceId, undefined, parts.patience()),
      failed: (error) => this.#end(error instanceof Error ? error : new Error(String(error))),
    })
  }

  get state(): SolConsole['state'] {
    return this.#state
  }

  write(bytes: Uint8Array): number {
    if (this.#state === 'ended') return 0
    const taken = bytes.subarray(0, INPUT - this.#input.length)
    this.#input = Buffer.concat([this.#input, taken])
    if (taken.length > 0) this.#link.kick()
    return taken.length
  }

  sendBreak(): void {
    this.#link.kick(operations.lineBreak)
  }

  flush(): void {
    this.#input = Buffer.alloc(0)
    this.#link.flush()
    this.#link.kick(operations.flushIn | operations.flushOut)
  }

  async close(): Promise<void> {
    if (this.#state === 'ended') return
    const { live, instance, patience } = this.#parts
    this.#end(undefined)
    const which = { type: { payload: payloadTypes.sol }, instance: { number: instance }, auxiliary: 0 }
    await live.send(deactivatePayload, which, patience()).catch(() => undefined)
    await live.close()
  }

  #heard(flags: number): void {
    const { options, subject } = this.#parts
    const risen = flags & ~this.#lastFlags
    this.#lastFlags = flags
    if (this.#state === 'ended') return
    this.#state = flags & statusFlags.unavailable ? 'suspended' : 'active'
    if (risen & statusFlags.lineBreak) options.onMark?.('break')
    if (risen & statusFlags.overrun) options.onMark?.('overrun')
    if (flags & statusFlags.deactivated)
      this.#end(new SolUnavailable(subject, 'the BMC ended it: somebody took the console, or it was disabled'))
  }

  #end(reason: Error | undefined): void {
    if (this.#state === 'ended') return
    this.#state = 'ended'
    this.#letGo()
    this.#link.close()
    this.#unhear()
    if (reason) void this.#parts.live.close()
    this.#parts.options.onEnd(reason)
  }
}

function declined(error: unknown, code: number): boolean {
  return error instanceof CommandFailed && error.completionCode === code
}
