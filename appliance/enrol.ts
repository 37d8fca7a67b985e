import { z } from 'zod'
import { faultText } from '../contract/api/faults.ts'
import { certificateLife } from '../contract/appliance-certificate.ts'
import { newSealingKey } from '../contract/seal.ts'
import { certificateRequest } from './certificates.ts'
import { writeIdentity } from './identity-file.ts'
import { identity, jsonOf, type Identity } from './identity.ts'

const ANSWER_MS = 30_000

const enrolled = z.object({
  appliance: z.uuid(),
  site: z.string(),
  certificate: z.string(),
  authorities: z.string(),
  broker: z.string(),
  // Clouds from before certificates were renewed don't say.
  ...certificateLife.partial().shape,
})

export interface Enrolling {
  /** Of the cloud's API. */
  endpoint: string
  /** One-time, from `bloomery site enrol`. */
  token: string
  name: string
  /** Where the identity is kept. */
  path: string
  now: () => Date
  post: (url: string, body: string, signal: AbortSignal) => Promise<{ status: number; text: string }>
}

/** Joins a site: both private keys are made here and stay here; the token is good once. Written only when all went well. */
export async function enrol({ endpoint, token, name, path, now, post }: Enrolling): Promise<Identity> {
  const { csr, privateKey } = await certificateRequest(name)
  const sealing = newSealingKey()
  const url = `${endpoint.replace(/\/$/, '')}/v1/enrol`
  const reply = await post(
    url,
    JSON.stringify({ token, name, csr, sealing_key: sealing.publicKey }),
    AbortSignal.timeout(ANSWER_MS),
  )
  if (reply.status !== 200 && reply.status !== 201)
    throw new Error(`the cloud refused the enrolment (HTTP ${reply.status}): ${faultText(reply.text).slice(0, 1000)}`)
  const me = understood(reply.text, { name, privateKey, sealingKey: sealing.privateKey }, now())
  writeIdentity(path, me)
  return me
}

function understood(text: string, own: Pick<Identity, 'name' | 'privateKey' | 'sealingKey'>, received: Date): Identity {
  const whole = enrolled
    .transform(({ appliance: uuid, issued_at, expires_at, ...given }) => ({
      ...given,
      uuid,
      ...own,
      ...(issued_at && expires_at && { life: { issued_at, expires_at, received_at: received.toISOString() } }),
    }))
    .pipe(identity)
  const me = whole.safeParse(jsonOf(text))
  if (me.success) return me.data
  throw new Error(
    `the cloud's answer to the enrolment is not understood; is this its API's endpoint?\n${z.prettifyError(me.error)}`,
  )
}
