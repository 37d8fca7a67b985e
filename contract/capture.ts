import { z } from 'zod'
import { instant, uuid } from './resources.ts'

/** What one machine sends and is sent, recorded at its site as a pcap file; the cloud keeps the last one of each node. */

export const CAPTURE_BYTES = 64 * 1_048_576

const interfaceName = z.string().regex(/^[\w.-]{1,15}$/, 'is no name of an interface')

export const captureRequest = z.strictObject({
  seconds: z.int().min(1).max(600).default(60),
  packets: z.int().min(1).max(100_000).default(10_000),
  /** Of the appliance; needed where machines are on several. */
  interface: interfaceName.optional(),
})
export type CaptureRequest = z.infer<typeof captureRequest>

export const capturePhases = ['asked', 'running', 'captured', 'done', 'failed'] as const
export const capturePhase = z.enum(capturePhases)
export type CapturePhase = z.infer<typeof capturePhase>

export const capture = z.object({
  uuid,
  node_uuid: uuid,
  phase: capturePhase,
  /** What ends it, whichever comes first. */
  seconds: captureRequest.shape.seconds,
  most_packets: captureRequest.shape.packets,
  /** What it has so far. */
  packets: z.int().nonnegative(),
  bytes: z.int().nonnegative(),
  /** `done`: what ended it. `failed`: why. */
  note: z.string().max(1024).nullable(),
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .nullable(),
  asked_at: instant,
  updated_at: instant,
  /** After which nobody waits for the site any more. */
  deadline: instant,
})
export type Capture = z.infer<typeof capture>

/** As the API shows it; `url`: of the file, once it is there. */
export type CaptureView = Capture & { url: string | null }

export const isOver = (phase: CapturePhase): boolean => phase === 'done' || phase === 'failed'
