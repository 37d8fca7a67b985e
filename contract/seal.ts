import {
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  randomBytes,
} from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { z } from 'zod'

/** Secrets on their way to a site: encrypted by whoever writes them to the X25519 keys of the site's appliances, opened only there.
 * ECIES over X25519, HKDF-SHA256 (RFC 5869), AES-256-GCM; `bind` (the node's uuid and the key's name) is authenticated, so that a
 * sealed value can't be moved to another node or field. */

export const sealed = z.object({
  $sealed: z.object({
    v: z.literal(1),
    /** By appliance uuid. `epk`: raw ephemeral public key; `box`: nonce, ciphertext, tag. All base64. */
    to: z.record(z.string(), z.object({ epk: z.base64(), box: z.base64() })),
  }),
})
export type Sealed = z.infer<typeof sealed>

/** The key of instance_info that holds what a rescue system lets people in with. */
export const RESCUE_PASSWORD = 'rescue_password'

export const MASK = '******'

/** Ironic masks every driver_info key that looks like a password; key material too. */
export function isSecretKey(key: string): boolean {
  return /password|passwd|secret|token|hex_kg_key|private_key|community/i.test(key)
}

export function isSealed(value: unknown): value is Sealed {
  return sealed.safeParse(value).success
}

const SPKI_X25519 = Buffer.from('302a300506032b656e032100', 'hex') // RFC 8410 §10.1, before the 32 raw bytes
const PKCS8_X25519 = Buffer.from('302e020100300506032b656e04220420', 'hex')

export function newSealingKey(): { publicKey: string; privateKey: string } {
  const pair = generateKeyPairSync('x25519')
  return {
    publicKey: pair.publicKey.export({ type: 'spki', format: 'der' }).subarray(SPKI_X25519.length).toString('base64'),
    privateKey: pair.privateKey
      .export({ type: 'pkcs8', format: 'der' })
      .subarray(PKCS8_X25519.length)
      .toString('base64'),
  }
}

export function seal(text: string, bind: string, to: ReadonlyArray<{ appliance: string; key: string }>): Sealed {
  const boxes: Sealed['$sealed']['to'] = {}
  for (const { appliance, key } of to) {
    const ephemeral = generateKeyPairSync('x25519')
    const epk = ephemeral.publicKey.export({ type: 'spki', format: 'der' }).subarray(SPKI_X25519.length)
    const nonce = randomBytes(12)
    const cipher = createCipheriv('aes-256-gcm', derive(ephemeral.privateKey, publicKey(key), epk), nonce)
    cipher.setAAD(Buffer.from(bind))
    const box = Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()])
    boxes[appliance] = { epk: epk.toString('base64'), box: box.toString('base64') }
  }
  return { $sealed: { v: 1, to: boxes } }
}

/** Throws when the value was not sealed to this appliance, or was sealed for another node or field. */
export function open(value: Sealed, bind: string, appliance: string, privateKey: string): string {
  const mine = value.$sealed.to[appliance]
  if (!mine) throw new Error('not sealed to this appliance: write the secret again, now that it has joined the site')
  const epk = Buffer.from(mine.epk, 'base64')
  const box = Buffer.from(mine.box, 'base64')
  const own = createPrivateKey({
    key: Buffer.concat([PKCS8_X25519, Buffer.from(privateKey, 'base64')]),
    type: 'pkcs8',
    format: 'der',
  })
  const decipher = createDecipheriv('aes-256-gcm', derive(own, publicKey(mine.epk), epk), box.subarray(0, 12))
  decipher.setAAD(Buffer.from(bind))
  decipher.setAuthTag(box.subarray(-16))
  return Buffer.concat([decipher.update(box.subarray(12, -16)), decipher.final()]).toString('utf8')
}

function publicKey(raw: string): KeyObject {
  return createPublicKey({ key: Buffer.concat([SPKI_X25519, Buffer.from(raw, 'base64')]), type: 'spki', format: 'der' })
}

function derive(own: KeyObject, other: KeyObject, epk: Buffer): Buffer {
  const shared = diffieHellman({ privateKey: own, publicKey: other })
  return Buffer.from(hkdfSync('sha256', shared, epk, 'bloomery seal v1', 32))
}
