/** A machine's serial console, as a driver opens it. */
export interface ConsoleLine {
  /** How many of the characters were taken; the rest are to be offered again. */
  write(bytes: Uint8Array): number
  sendBreak(): void
  /** The BMC takes no characters now. */
  readonly suspended: boolean
  close(): Promise<void>
}

export interface ConsoleEars {
  data(bytes: Uint8Array): void
  mark(mark: 'break' | 'overrun' | 'no break'): void
  /** It is lost: said once, and not after `close`. */
  lost(reason: Error): void
}

/** Rejects with HardwareError; has its own deadline. */
export type OpenConsole = (ears: ConsoleEars) => Promise<ConsoleLine>
