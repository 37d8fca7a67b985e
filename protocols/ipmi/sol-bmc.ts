import { Declined } from './bmc-options.ts'
import type { ActiveSession, BmcSessions } from './bmc-sessions.ts'
import type { Clock } from './clock.ts'
import type { ResponseOf } from './command.ts'
import { completionCodes } from './completion-code.ts'
import { payloadTypes } from './packet.ts'
import { type activatePayload, payloadCodes } from './sol-commands.ts'
import { SolLink } from './sol-link.ts'
import { MAX_CHARACTERS, operations, SOL_HEADER, statusFlags } from './sol-packet.ts'
import type { SerialLine, SerialPort, SolSettings } from './sol-serial.ts'

/** What the BMC keeps of a console that is slow; the oldest of more is lost, and the console is told. */
const KEPT = 64 * 1024
/** §24.1: no VLAN of its own. */
const NO_VLAN = 0xffff
export const PAYLOAD_SIZE = SOL_HEADER + MAX_CHARACTERS

interface Activation {
  session: ActiveSession
  link: SolLink
  line: SerialLine
}

interface Asked {
  encrypted: boolean
  authenticated: boolean
}

/** The serial port of a BMC's server, which one session at a time may have: the BMC's half of SOL. */
export class SolHost {
  readonly #port: SerialPort
  readonly #sessions: BmcSessions
  readonly #clock: Clock
  readonly #udpPort: number
  readonly settings: SolSettings
  #activation: Activation | undefined
  #kept = Buffer.alloc(0)
  #overrun = false
  #gathering: (() => void) | undefined

  constructor(
    port: SerialPort,
    {
      sessions,
      clock,
      udpPort,
      settings,
    }: { sessions: BmcSessions; clock: Clock; udpPort: number; settings: SolSettings },
  ) {
    this.#port = port
    this.#sessions = sessions
    this.#clock = clock
    this.#udpPort = udpPort
    this.settings = settings
  }

  /** The session that has it; a session that fell silent has it no longer. */
  get holder(): ActiveSession | undefined {
    const held = this.#activation?.session
    if (held && this.#sessions.active(held.id) !== held) this.#drop()
    return this.#activation?.session
  }

  activate(session: ActiveSession | undefined, asked: Asked): ResponseOf<typeof activatePayload> | Declined {
    const payloads = session?.wrapping.payloads
    const { enabled, privilege, needsEncryption, needsAuthentication } = this.settings
    // IPMI 1.5 has no payloads.
    if (!session || !payloads) return new Declined(completionCodes.invalidCommand)
    if (!enabled) return new Declined(payloadCodes.disabled)
    if (session.privilege < privilege) return new Declined(completionCodes.insufficientPrivilege)
    if (asked.encrypted && !payloads.encrypted) return new Declined(payloadCodes.notEncrypted)
    // What a session agreed to hide is never sent in the clear, though §24.1 would allow it.
    const missing = (payloads.encrypted || needsEncryption) && !asked.encrypted
    const unproved = (payloads.authenticated || needsAuthentication) && !asked.authenticated
    if (missing || unproved) return new Declined(payloadCodes.mustBeEncrypted)
    if (this.holder) return new Declined(payloadCodes.activeElsewhere)
    this.#begin(session, payloads)
    return { auxiliary: 0, inbound: PAYLOAD_SIZE, outbound: PAYLOAD_SIZE, port: this.#udpPort, vlan: NO_VLAN }
  }

  /** Whoever may activate may also take it from another; that one is told. */
  deactivate(by: ActiveSession | undefined): Declined | undefined {
    const { holder } = this
    if (!holder) return new Declined(payloadCodes.alreadyInactive)
    if ((by?.privilege ?? 0) < this.settings.privilege) return new Declined(completionCodes.insufficientPrivilege)
    if (holder !== by) this.#activation?.link.say(statusFlags.deactivated)
    this.#drop()
    return undefined
  }

  /** Characters and operations of the console. Throws a WireError. */
  receive(session: ActiveSession, payload: Uint8Array): void {
    if (this.holder === session) this.#activation?.link.receive(payload)
  }

  close(): void {
    this.#drop()
  }

  #begin(session: ActiveSession, payloads: NonNullable<ActiveSession['wrapping']['payloads']>): void {
    const { retryMs, retries } = this.settings
    const link = new SolLink({
      clock: this.#clock,
      send: (bytes) => session.send?.(payloads.wrap(payloadTypes.sol, bytes)),
      payloadSize: PAYLOAD_SIZE,
      tries: retries + 1,
      retryMs: Math.max(retryMs, 10),
      take: (most) => this.#take(most),
      deliver: (data) => this.#activation?.line.write(data) ?? 0,
      flags: () => (this.#overrun ? statusFlags.overrun : 0),
      heard: (flags) => this.#heard(flags),
      // §15.11: the characters of that packet are lost; what comes after them may still arrive.
      lost: () => (this.#overrun = true),
    })
    this.#kept = Buffer.alloc(0)
    this.#overrun = false
    const line = this.#port.open({
      data: (bytes) => this.#gather(bytes),
      lineBreak: () => link.say(statusFlags.lineBreak),
    })
    this.#activation = { session, link, line }
  }

  #gather(bytes: Uint8Array): void {
    if (!this.holder) return
    const whole = Buffer.concat([this.#kept, bytes])
    if (whole.length > KEPT) this.#overrun = true
    this.#kept = whole.subarray(-KEPT)
    if (this.#kept.length >= this.settings.threshold) return this.#flush()
    this.#gathering ??= this.#clock.after(this.settings.accumulateMs, () => this.#flush())
  }

  #flush(): void {
    this.#gathering?.()
    this.#gathering = undefined
    this.#activation?.link.kick()
  }

  #take(most: number): Uint8Array {
    if (this.#gathering && this.#kept.length < this.settings.threshold) return new Uint8Array(0)
    const taken = this.#kept.subarray(0, most)
    this.#kept = this.#kept.subarray(taken.length)
    return taken
  }

  #heard(flags: number): void {
    if (flags & operations.lineBreak) this.#activation?.line.lineBreak()
    if (flags & operations.flushOut) {
      this.#kept = Buffer.alloc(0)
      this.#overrun = false
      this.#activation?.link.flush()
    }
  }

  #drop(): void {
    this.#gathering?.()
    this.#gathering = undefined
    this.#activation?.link.close()
    this.#activation?.line.close()
    this.#activation = undefined
  }
}
