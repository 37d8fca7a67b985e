import type { HealthCause, HealthLevel, LogLine, SensorReading } from '../../contract/health.ts'

/** What is not well, as one look at a BMC found it. */
export type Ailment = Omit<HealthCause, 'since'>

/** What one look at a BMC found. */
export interface Look {
  readings: SensorReading[]
  /** What the machine draws; null: the BMC does not say. */
  watts: number | null
  ailments: Ailment[]
  log: Logged
  /** What the next look wants to know of this one. */
  kept: string
}

export interface Entry extends Omit<LogLine, 'times'> {
  /** What it is about, where an entry that says so makes the machine unwell: `log memory 12`. */
  blames: string | undefined
  /** It says that this is over. */
  absolves: string | undefined
}

export interface Logged {
  entries: Entry[]
  /** Somebody has emptied the log: what was in it is dealt with. */
  erased: boolean
}

export const nothingLogged: Logged = { entries: [], erased: false }

/** Puts one question to a BMC when it is its turn; rejects where others shall have the BMC. */
export type Ask = <T>(question: () => Promise<T>) => Promise<T>

export class GaveWay extends Error {
  constructor() {
    super('a plan wants the BMC')
    this.name = 'GaveWay'
  }
}

/** The same BMC, each question in its turn. `asks`: its methods that put questions to it. */
export function politely<T extends object>(bmc: T, asks: ReadonlyArray<keyof T>, ask: Ask): T {
  return new Proxy(bmc, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key, target)
      if (typeof value !== 'function') return value
      return (...args: unknown[]): unknown => {
        const question = (): unknown => Reflect.apply(value, target, args)
        return asks.includes(key as keyof T) ? ask(question as () => Promise<unknown>) : question()
      }
    },
  })
}

export const severities: Readonly<Record<'ok' | 'warning' | 'critical', HealthLevel>> = {
  ok: 'OK',
  warning: 'Warning',
  critical: 'Critical',
}

export function clip(text: string, most: number): string {
  // oxlint-disable-next-line no-control-regex
  const plain = text.replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, ' ').trim()
  return plain.length > most ? `${plain.slice(0, most - 1)}…` : plain
}
