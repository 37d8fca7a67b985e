import type { JsonObject } from './json.ts'

/** What a vendor's BMCs do otherwise than the specification or most others. Data, so that adding one is one file in quirks/,
 * a row in quirks/table.ts and a vector in quirks/vectors/. */
export interface Quirk {
  readonly name: string
  /** Found in the service root's Vendor, Product or Oem keys, or the system's Manufacturer, Model or Oem keys. */
  readonly vendor: RegExp
  readonly boot?: BootQuirk
  /** Boot mode is a BIOS attribute, so a change needs a restart of the machine. */
  readonly bootMode?: { readonly attribute: string; readonly UEFI: string; readonly Legacy: string }
  /** Powering on right after powering off is refused with 409 until the BMC has caught up. */
  readonly onConflict?: { readonly tries: number; readonly everyMs: number }
  readonly media?: MediaQuirk
  /** What leads from the BMC's command line over SSH to the machine's serial port. */
  readonly consoleEntry?: string
}

export interface BootQuirk {
  /** Which properties go with BootSourceOverrideTarget: those that change, Enabled in any case, or Enabled and Mode in any case. */
  readonly sends?: 'changes' | 'enabled' | 'all'
  /** BootSourceOverrideEnabled can't be Continuous. */
  readonly onceOnly?: true
  /** BootSourceOverrideMode must not be sent. */
  readonly keepsMode?: true
  /** Changes go to the settings resource that @Redfish.Settings names. */
  readonly pending?: true
}

export interface MediaQuirk {
  /** Slots to use by Id, of those that would do. */
  readonly slots?: RegExp
  /** Slots that look usable and are not. */
  readonly useless?: RegExp
  /** Properties of InsertMedia that are refused. */
  readonly without?: readonly string[]
  /** Properties of InsertMedia that are demanded. */
  readonly with?: JsonObject
  /** InsertMedia is refused, or not there: PATCH the slot. */
  readonly patches?: true
  /** An action of the vendor's own, in place of InsertMedia and EjectMedia. */
  readonly oem?: {
    readonly insert: readonly string[]
    readonly eject: readonly string[]
    readonly insertBody?: JsonObject
    readonly ejectBody?: JsonObject
  }
}

/** Where nothing else is known. */
export const standard: Quirk = { name: 'standard', vendor: /$^/ }
