import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createSecretKey,
  type KeyObject,
  timingSafeEqual,
} from 'node:crypto'
import { WireError } from '@bloomery/wire/error.ts'
import type { CipherSuite } from './cipher-suite.ts'

/** IPMI 2.0 §13.28: RAKP-none, -HMAC-SHA1, -HMAC-MD5, -HMAC-SHA256. `icv` is how much of RAKP 4's code is sent. Without a hash
 * every code is empty: nobody is asked to prove anything. */
const authentications: Record<number, { hash?: string; icv: number }> = {
  0x00: { icv: 0 },
  0x01: { hash: 'sha1', icv: 12 },
  0x02: { hash: 'md5', icv: 16 },
  0x03: { hash: 'sha256', icv: 16 },
}

/** §13.28.4: none, HMAC-SHA1-96, HMAC-MD5-128, MD5-128 (no HMAC: the password goes before and after what is signed),
 * HMAC-SHA256-128. */
const integrities: Record<number, { hash?: string; length: number; around?: true }> = {
  0x00: { length: 0 },
  0x01: { hash: 'sha1', length: 12 },
  0x02: { hash: 'md5', length: 16 },
  0x03: { hash: 'md5', length: 16, around: true },
  0x04: { hash: 'sha256', length: 16 },
}

/** §13.20–13.23: what both ends know once Open Session and RAKP 1 and 2 went by. Ids and nonces as they stood on the wire. */
export interface Exchange {
  consoleId: number
  bmcId: number
  consoleRandom: Uint8Array
  bmcRandom: Uint8Array
  bmcGuid: Uint8Array
  /** The whole role byte of RAKP 1, name-only bit included: it is what was asked, so it is what gets signed. */
  role: number
  username: Uint8Array
}

/** Key objects: never printed by accident, and several times quicker for a packet than keys as bytes. */
export interface SessionKeys {
  suite: CipherSuite
  /** §13.32, K1: signs every packet; for MD5-128 the password. */
  signing: KeyObject
  /** The first 16 bytes of K2. */
  aes: KeyObject
}

/** §13.31: IPMI 2.0 keeps passwords, and Kg, in 20 bytes. HMAC pads keys with zeros itself, so 20 or fewer are the same. */
export const MAX_KEY = 20
export const MAX_USERNAME = 16

export function rakp2Code(suite: CipherSuite, password: Uint8Array, x: Exchange): Uint8Array {
  const parts = [le32(x.consoleId), le32(x.bmcId), x.consoleRandom, x.bmcRandom, x.bmcGuid, ...roleAndName(x)]
  return hmac(authentication(suite).hash, password, parts)
}

export function rakp3Code(suite: CipherSuite, password: Uint8Array, x: Exchange): Uint8Array {
  return hmac(authentication(suite).hash, password, [x.bmcRandom, le32(x.consoleId), ...roleAndName(x)])
}

/** §13.22: `kg` is the BMC's own key where it has one; else the user's password takes its place ("one-key" login). */
export function sessionIntegrityKey(suite: CipherSuite, kg: Uint8Array, x: Exchange): Uint8Array {
  return hmac(authentication(suite).hash, kg, [x.consoleRandom, x.bmcRandom, ...roleAndName(x)])
}

export function rakp4Code(suite: CipherSuite, sik: Uint8Array, x: Exchange): Uint8Array {
  const { hash, icv } = authentication(suite)
  return hmac(hash, sik, [x.consoleRandom, le32(x.bmcId), x.bmcGuid]).subarray(0, icv)
}

export function deriveKeys(suite: CipherSuite, sik: Uint8Array, password: Uint8Array): SessionKeys {
  const { hash } = authentication(suite)
  const constant = (byte: number): Uint8Array => new Uint8Array(20).fill(byte)
  const [k1, k2] = [hmac(hash, sik, [constant(1)]), hmac(hash, sik, [constant(2)])]
  const signing = integrity(suite).around ? Buffer.concat([password, new Uint8Array(MAX_KEY)], MAX_KEY) : k1
  return { suite, signing: createSecretKey(signing), aes: createSecretKey(k2.subarray(0, 16)) }
}

export function integrityLength(suite: CipherSuite): number {
  return integrity(suite).length
}

export function integrityCode(keys: SessionKeys, signed: Uint8Array): Uint8Array {
  const { hash, length, around } = integrity(keys.suite)
  if (!around) return hmac(hash, keys.signing, [signed]).subarray(0, length)
  const password = keys.signing.export()
  return createHash('md5').update(password).update(signed).update(password).digest()
}

/** §13.29: | IV 16 | AES-CBC-128( payload, 01 02 03 …, pad length ) |. */
export function encrypt(keys: SessionKeys, payload: Uint8Array, iv: Uint8Array): Uint8Array {
  const pad = 15 - (payload.length % 16)
  const padding = Uint8Array.from({ length: pad + 1 }, (_, at) => (at === pad ? pad : at + 1))
  const cipher = createCipheriv('aes-128-cbc', keys.aes, iv).setAutoPadding(false)
  return Buffer.concat([iv, cipher.update(payload), cipher.update(padding), cipher.final()])
}

export function decrypt(keys: SessionKeys, bytes: Uint8Array): Uint8Array {
  if (bytes.length < 32 || bytes.length % 16 !== 0)
    throw new WireError(`${bytes.length} encrypted bytes are no IV and AES blocks`)
  const iv = bytes.subarray(0, 16)
  const cipher = createDecipheriv('aes-128-cbc', keys.aes, iv).setAutoPadding(false)
  const clear = Buffer.concat([cipher.update(bytes.subarray(16)), cipher.final()])
  const pad = clear.at(-1) ?? 0
  // Some BMCs fill the pad otherwise than 01 02 03 …; the packet was authenticated before, so its length is enough.
  if (pad > 15) throw new WireError(`confidentiality pad of ${pad} bytes`)
  return clear.subarray(0, clear.length - 1 - pad)
}

/** In constant time, so that an attacker can't find a code byte by byte. */
export function sameCode(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b)
}

function roleAndName(x: Exchange): Uint8Array[] {
  return [Uint8Array.of(x.role, x.username.length), x.username]
}

function authentication(suite: CipherSuite): { hash?: string; icv: number } {
  const row = authentications[suite.authentication]
  if (!row)
    throw new RangeError(`cipher suite ${suite.id}: authentication algorithm ${suite.authentication} has no row`)
  return row
}

function integrity(suite: CipherSuite): { hash?: string; length: number; around?: true } {
  const row = integrities[suite.integrity]
  if (!row) throw new RangeError(`cipher suite ${suite.id}: integrity algorithm ${suite.integrity} has no row`)
  return row
}

function hmac(hash: string | undefined, key: Uint8Array | KeyObject, parts: readonly Uint8Array[]): Uint8Array {
  if (hash === undefined) return new Uint8Array(0)
  // Three times quicker than with bytes, of which Node makes sure first that they are no key object, by an exception.
  const mac = createHmac(hash, key instanceof Uint8Array ? createSecretKey(key) : key)
  for (const part of parts) mac.update(part)
  return mac.digest()
}

function le32(value: number): Uint8Array {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, value, true)
  return bytes
}
