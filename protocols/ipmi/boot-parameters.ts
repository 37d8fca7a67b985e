import { bits, type Codec, struct, uint8 } from './fields.ts'
import { parameter } from './parameter.ts'

/** IPMI 2.0 table 28-14: the system boot options. */
export const setInProgress = parameter(0, struct({ state: bits({ phase: [0, 2] }) }))

export const servicePartitionSelector = parameter(1, struct({ partition: uint8 }))

export const servicePartitionScan = parameter(2, struct({ scan: bits({ discovered: 0, requested: 1 }) }))

/** Each set bit names an occasion on which the BMC shall NOT clear the boot flags' valid bit. */
export const validBitClearing = parameter(
  3,
  struct({
    keep: bits({ onPowerButton: 0, onResetButton: 1, onWatchdog: 2, withoutControlIn60s: 3, onPefReset: 4 }),
  }),
)

/** Who has read the boot flags: bits BIOS, loader, system, service partition, OEM. `mask` says which bits of a write count. */
export const bootInitiatorAcknowledge = parameter(4, struct({ mask: uint8, acknowledged: uint8 }))

/** Not valid, once only and BIOS mode is what zeros say. */
export const bootFlags = parameter(
  5,
  struct({
    flags: bits({ uefi: 5, persistent: 6, valid: 7 }),
    boot: bits({ resetLock: 0, screenBlank: 1, device: [2, 4], keyboardLock: 6, cmosClear: 7 }),
    console: uint8,
    mux: uint8,
    instance: uint8,
  }),
)

export type BootFlags = typeof bootFlags.data extends Codec<infer T> ? T : never

/** The device selector of boot flags, those that a machine's owner asks for. */
export const bootDevices = { none: 0, pxe: 1, disk: 2, safe: 3, cdrom: 5, bios: 6 } as const
export type BootDevice = Exclude<keyof typeof bootDevices, 'none'>

export const noBootFlags: BootFlags = {
  flags: { uefi: false, persistent: false, valid: false },
  boot: { resetLock: false, screenBlank: false, device: bootDevices.none, keyboardLock: false, cmosClear: false },
  console: 0,
  mux: 0,
  instance: 0,
}
