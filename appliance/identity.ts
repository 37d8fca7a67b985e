import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { certificateLife } from '../contract/appliance-certificate.ts'
import { instant } from '../contract/resources.ts'

/** What the cloud said of a certificate by its clock, and when it came by ours. */
const life = z.object({ ...certificateLife.shape, received_at: instant })
export type Life = z.infer<typeof life>

/** Who this appliance is: written by enrolment and when its certificate is renewed, readable by its owner only. */
export const identity = z.object({
  uuid: z.uuid(),
  name: z.string(),
  site: z.string(),
  /** mqtts://host:port */
  broker: z.url({ protocol: /^mqtts$/ }),
  certificate: z.string(),
  privateKey: z.string(),
  authorities: z.string(),
  /** X25519, raw, base64: opens what is sealed to this appliance. */
  sealingKey: z.string(),
  /** Of the certificate; absent: it is from before certificates were renewed. */
  life: life.optional(),
  /** A certificate for this key is asked for. */
  asked: z.object({ privateKey: z.string(), csr: z.string() }).optional(),
  /** What takes the place of the former once it has connected. */
  next: z.object({ certificate: z.string(), privateKey: z.string(), authorities: z.string(), life }).optional(),
})
export type Identity = z.infer<typeof identity>

export function readIdentity(path: string): Identity {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw new Error(`this appliance has not joined a site (${path}): run \`bloomery appliance enrol\` first`, {
      cause: error,
    })
  }
  const parsed = identity.safeParse(jsonOf(text))
  if (parsed.success) return parsed.data
  throw new Error(
    `this appliance's identity ${path} can't be used; enrol again (--again):\n${z.prettifyError(parsed.error)}`,
  )
}

/** Undefined for what is not JSON: the parser's own error would quote from a file of keys. */
export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
