import { privileges } from './command.ts'

/** The server's serial port, as the BMC finds it: all that a simulator has to supply for SOL. */
export interface SerialPort {
  /** Opened by one console at a time. */
  open(hear: { data(bytes: Uint8Array): void; lineBreak(): void }): SerialLine
}

export interface SerialLine {
  /** How many of the characters it took: fewer where the server asserts flow control. */
  write(bytes: Uint8Array): number
  lineBreak(): void
  close(): void
}

/** IPMI 2.0 table 26-5, as the BMC keeps it. */
export interface SolSettings {
  enabled: boolean
  privilege: number
  needsEncryption: boolean
  needsAuthentication: boolean
  accumulateMs: number
  threshold: number
  retries: number
  retryMs: number
  /** Bits per second; 0: whatever the serial port is set to. */
  keptBitRate: number
  bitRate: number
}

export const defaultSol: SolSettings = {
  enabled: true,
  privilege: privileges.operator,
  needsEncryption: false,
  needsAuthentication: false,
  accumulateMs: 20,
  threshold: 128,
  retries: 7,
  retryMs: 500,
  keptBitRate: 115_200,
  bitRate: 115_200,
}
