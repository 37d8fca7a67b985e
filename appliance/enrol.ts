import { mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { z } from 'zod'
import { newSealingKey } from '../contract/seal.ts'
import { certificateRequest } from './certificates.ts'
import { identity, jsonOf, type Identity } from './identity.ts'

const ANSWER_MS = 30_000

const enrolled = z.object({
  appliance: z.uuid(),
  site: z.string(),
  certificate: z.string(),
  authorities: z.string(),
  broker: z.string(),
})

export interface Enrolling {
  /** Of the cloud's API. */
  endpoint: string
  /** One-time, from `bloomery site enrol`. */
  token: string
  name: string
  /** Where the identity is kept. */
  path: string
  post: (url: string, body: string, signal: AbortSignal) => Promise<{ status: number; text: string }>
}

/** Joins a site: both private keys are made here and stay here; the token is good once. Written only when all went well. */
export async function enrol({ endpoint, token, name, path, post }: Enrolling): Promise<Identity> {
  const { csr, privateKey } = await certificateRequest(name)
  const sealing = newSealingKey()
  const url = `${endpoint.replace(/\/$/, '')}/v1/enrol`
  const reply = await post(
    url,
    JSON.stringify({ token, name, csr, sealing_key: sealing.publicKey }),
    AbortSignal.timeout(ANSWER_MS),
  )
  if (reply.status !== 200 && reply.status !== 201)
    throw new Error(`the cloud refused the enrolment (HTTP ${reply.status}): ${reply.text.slice(0, 1000)}`)
  const me = understood(reply.text, { name, privateKey, sealingKey: sealing.privateKey })
  await write(path, JSON.stringify(me, null, 2))
  return me
}

function understood(text: string, own: Pick<Identity, 'name' | 'privateKey' | 'sealingKey'>): Identity {
  const whole = enrolled.transform(({ appliance: uuid, ...given }) => ({ ...given, uuid, ...own })).pipe(identity)
  const me = whole.safeParse(jsonOf(text))
  if (me.success) return me.data
  throw new Error(
    `the cloud's answer to the enrolment is not understood; is this its API's endpoint?\n${z.prettifyError(me.error)}`,
  )
}

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const part = `${path}.part`
  // What an attempt left keeps its mode when it is written to again.
  await rm(part, { force: true })
  const file = await open(part, 'wx', 0o600)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(part, path)
  // The token is spent: the name must survive a power cut as the bytes do.
  const folder = await open(dirname(path))
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
