import { isLan } from './bmc-channel.ts'
import { Declined, type LanSettings } from './bmc-options.ts'
import { type Row, row } from './bmc-row.ts'
import type { CipherSuite } from './cipher-suite.ts'
import { decodeWith, encodeWith, privileges } from './command.ts'
import { completionCodes } from './completion-code.ts'
import { getLanParameter, lanCodes, setLanParameter } from './lan-commands.ts'
import * as parameters from './lan-parameters.ts'
import type { Parameter } from './parameter.ts'

/** IPMI 2.0 §23.2: of the present parameters, and of the oldest that they are compatible with. */
const REVISION = 0x11
const MOST_SUITES = 16

const known = new Map<number, Parameter<unknown>>(
  (Object.values(parameters) as unknown[]).filter(isParameter).map((each) => [each.selector, each]),
)
const readOnly: ReadonlySet<number> = new Set(
  [parameters.authenticationSupport, parameters.destinations, parameters.suiteCount, parameters.suiteEntries].map(
    ({ selector }) => selector,
  ),
)

/** The configuration of the LAN channel, as its parameters' bytes. A simulator's address is what it was told, wherever it listens. */
export class LanConfiguration {
  readonly #kept = new Map<number, Uint8Array>()

  constructor(settings: Partial<LanSettings>, suites: readonly CipherSuite[], ipmi15: boolean) {
    const types = { none: false, md2: false, md5: ipmi15, straight: false, oem: false }
    const listed = suites.slice(0, MOST_SUITES)
    this.#put(parameters.setInProgress, { state: { phase: parameters.phases.complete } })
    this.#put(parameters.authenticationSupport, { types })
    const enables = { callback: types, user: types, operator: types, administrator: types, oem: types }
    this.#put(parameters.authenticationEnables, enables)
    this.#put(parameters.address, settings.address ?? '0.0.0.0')
    this.#put(parameters.addressSource, { source: { from: parameters.addressSources.static } })
    this.#put(parameters.macAddress, settings.mac ?? '00:00:00:00:00:00')
    this.#put(parameters.subnetMask, settings.mask ?? '0.0.0.0')
    this.#put(parameters.ipv4Header, Uint8Array.of(0x40, 0x40, 0x10))
    this.#put(parameters.primaryPort, 623)
    this.#put(parameters.arp, { control: { gratuitous: false, responses: true } })
    this.#put(parameters.gratuitousArpInterval, 0)
    for (const one of [parameters.gateway, parameters.backupGateway]) this.#put(one, '0.0.0.0')
    if (settings.gateway !== undefined) this.#put(parameters.gateway, settings.gateway)
    for (const one of [parameters.gatewayMac, parameters.backupGatewayMac]) this.#put(one, '00:00:00:00:00:00')
    this.#put(parameters.community, 'public')
    this.#put(parameters.destinations, 0)
    this.#put(parameters.vlan, { id: 0, tagged: false })
    this.#put(parameters.vlanPriority, { priority: { level: 0 } })
    this.#put(parameters.suiteCount, listed.length)
    this.#put(parameters.suiteEntries, Uint8Array.of(0, ...listed.map(({ id }) => id)))
    const levels = Array.from({ length: MOST_SUITES }, (_, at) => (at < listed.length ? privileges.administrator : 0))
    const nibbles = Array.from({ length: MOST_SUITES / 2 }, (_, at) => levels[2 * at]! | (levels[2 * at + 1]! << 4))
    this.#put(parameters.suitePrivileges, Uint8Array.of(0, ...nibbles))
    const never = { report: { toUser: false }, threshold: 0, forgetAfter: 0, lockedFor: 0 }
    this.#put(parameters.badPasswordThreshold, never)
  }

  get(selector: number): Uint8Array | undefined {
    return this.#kept.get(selector)
  }

  /** Malformed data are a WireError and change nothing. Undefined: done. */
  set(selector: number, data: Uint8Array): Declined | undefined {
    const found = known.get(selector)
    if (!found) return new Declined(lanCodes.notSupported)
    if (readOnly.has(selector)) return new Declined(lanCodes.readOnly)
    const value = decodeWith(found.data, data)
    // Nobody writes over what somebody else has begun (table 23-4, parameter 0).
    if (found === parameters.setInProgress && this.#begins(data) && this.#begins(this.#kept.get(selector)))
      return new Declined(lanCodes.inProgress)
    this.#put(found, value)
    return undefined
  }

  /** A restart ends what somebody began and didn't end. */
  restart(): void {
    this.#put(parameters.setInProgress, { state: { phase: parameters.phases.complete } })
  }

  #begins(data: Uint8Array | undefined): boolean {
    return ((data?.[0] ?? 0) & 3) === parameters.phases.inProgress
  }

  #put<T>({ selector, data }: Parameter<T>, value: T): void {
    this.#kept.set(selector, encodeWith(data, value))
  }
}

export const lanRows: ReadonlyArray<[string, Row]> = [
  row(getLanParameter, async ({ channel, selector }, { lan }) => {
    if (!isLan(channel.number)) return new Declined(completionCodes.invalidData)
    if (channel.revisionOnly) return { revision: REVISION, data: new Uint8Array(0) }
    const data = lan.get(selector)
    return data ? { revision: REVISION, data } : new Declined(lanCodes.notSupported)
  }),

  row(setLanParameter, async ({ channel, selector, data }, { lan }) =>
    isLan(channel.number) ? lan.set(selector, data) : new Declined(completionCodes.invalidData),
  ),
]

function isParameter(value: unknown): value is Parameter<unknown> {
  return typeof value === 'object' && value !== null && 'selector' in value
}
