import type { JsonObject } from '../json.ts'

/** What never changes about a machine. */
export interface MachineFacts {
  uuid: string
  name: string
  serial?: string
  processors?: number
  memoryGiB?: number
  nics: readonly { mac: string; speedMbps?: number }[]
  drives: readonly { id: string; capacityBytes: number; media: 'SSD' | 'HDD'; model?: string; serial?: string }[]
}

export interface BootOverride {
  target: string
  enabled: 'Once' | 'Continuous' | 'Disabled'
  mode: 'UEFI' | 'Legacy'
  uri?: string
}

/** What is measured in a machine, and what of it is broken. */
export interface Vitals {
  inletCelsius?: number
  /** The power supply has no input. */
  inputLost?: boolean
  /** The id of a drive that predicts its end. */
  failingDrive?: string
}

/** The server that a BMC belongs to: all that a simulator has to supply. What throws a `Refusal` gives the console that answer. */
export interface Machine {
  readonly facts: MachineFacts
  power(): Promise<'On' | 'Off'>
  /** ResetType; returns when the action has begun. */
  reset(type: string): Promise<void>
  /** What the firmware reads at its next start. A choice for once is the firmware's to clear. */
  readonly boot: { get(): Promise<BootOverride>; set(override: BootOverride): Promise<void> }
  /** Read whenever somebody looks; absent: all is well. */
  readonly vitals?: Vitals
  /** The image in a slot, when it changes. */
  media?(slot: string, image: string | undefined): Promise<void>
}

/** The standard's way to say no: a status and a message of the Base registry (DSP0266 §8.6). */
export class Refusal extends Error {
  readonly status: number
  readonly id: string
  readonly args: readonly string[]

  constructor(status: number, id: string, args: readonly string[] = []) {
    super(`${status} ${id}`)
    this.name = 'Refusal'
    this.status = status
    this.id = id
    this.args = args
  }

  body(): JsonObject {
    const info = {
      '@odata.type': '#Message.v1_1_1.Message',
      MessageId: `Base.1.8.${this.id}`,
      MessageArgs: this.args,
      Severity: 'Critical',
    }
    const Message = `${this.id}${this.args.length > 0 ? `: ${this.args.join(', ')}` : ''}`
    return {
      error: {
        code: `Base.1.8.${this.id}`,
        message: Message,
        '@Message.ExtendedInfo': [{ ...info, Message, Resolution: 'None' }],
      },
    }
  }
}
