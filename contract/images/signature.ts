import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto'
import { z } from 'zod'
import { canonical } from './canonical.ts'
import { type ImageManifest, LARGEST_MANIFEST_TEXT, type SignedManifest, signedManifest } from './manifest.ts'

/** Whoever pushes an image signs its manifest (ed25519, RFC 8032); sites and agents hold it to the public keys in their own configuration, so
 * that a cloud that somebody broke into can't make machines boot what nobody signed. */

/** `ed25519:` and the 32 bytes of a public key in base64. */
export const imageKey = z
  .string()
  .regex(/^ed25519:[A-Za-z0-9+/]{43}=$/, 'ed25519:BASE64, as `bloomery image key` prints it')
export const imageKeys = z.array(imageKey).max(64)

/** The DER of an ed25519 public key before its 32 bytes (RFC 8410 §4). */
const PREFIX = Buffer.from('302a300506032b6570032100', 'hex')

export class UnacceptableManifest extends Error {
  override name = 'UnacceptableManifest'
}

/** A new pair: the private key as PKCS #8 PEM. */
export function newImageKey(): { privateKey: string; publicKey: string } {
  const { privateKey } = generateKeyPairSync('ed25519')
  const pem = privateKey.export({ format: 'pem', type: 'pkcs8' }) as string
  return { privateKey: pem, publicKey: publicImageKey(pem) }
}

/** Throws when the text is no private ed25519 key. */
export function publicImageKey(privateKey: string): string {
  const key = createPrivateKey(privateKey)
  if (key.asymmetricKeyType !== 'ed25519') throw new Error('it is not an ed25519 key')
  const der = createPublicKey(key).export({ format: 'der', type: 'spki' })
  return `ed25519:${der.subarray(PREFIX.length).toString('base64')}`
}

export function imageKeyId(publicKey: string): string {
  return createHash('sha256').update(rawKey(publicKey)).digest('hex').slice(0, 16)
}

export function signManifest(manifest: ImageManifest, privateKey: string | undefined): SignedManifest {
  if (privateKey === undefined) return { manifest, signature: null }
  const value = sign(null, Buffer.from(canonical(manifest)), createPrivateKey(privateKey)).toString('base64')
  return { manifest, signature: { key: imageKeyId(publicImageKey(privateKey)), value } }
}

/** Throws UnacceptableManifest, whose message is a clause. Without keys nothing is asked of the signature. */
export function readManifest(text: string, keys: readonly string[]): ImageManifest {
  if (text.length > LARGEST_MANIFEST_TEXT) throw new UnacceptableManifest(`its manifest has ${text.length} characters`)
  const parsed = signedManifest.safeParse(json(text))
  if (!parsed.success)
    throw new UnacceptableManifest(`its manifest has no sense: ${z.prettifyError(parsed.error).slice(0, 500)}`)
  requireSignature(parsed.data, keys)
  return parsed.data.manifest
}

export function requireSignature({ manifest, signature }: SignedManifest, keys: readonly string[]): void {
  if (keys.length === 0) return
  if (!signature) throw new UnacceptableManifest('it is not signed, and only signed images are accepted here')
  const key = keys.find((each) => imageKeyId(each) === signature.key)
  if (key === undefined)
    throw new UnacceptableManifest(`it is signed by key ${signature.key}, which is not among the accepted ones`)
  const der = Buffer.concat([PREFIX, rawKey(key)])
  const publicKey = createPublicKey({ key: der, format: 'der', type: 'spki' })
  if (!verify(null, Buffer.from(canonical(manifest)), publicKey, Buffer.from(signature.value, 'base64')))
    throw new UnacceptableManifest(`the signature of key ${signature.key} does not fit its manifest`)
}

function rawKey(publicKey: string): Buffer {
  return Buffer.from(publicKey.slice('ed25519:'.length), 'base64')
}

function json(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}
