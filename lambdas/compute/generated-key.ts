import { generateKeyPair, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'

const BITS = 3072

/** A pair for somebody who brought none, as Nova makes it: RSA, the private half in PEM, which every ssh client reads. It is in the reply only. */
export async function generatedKey(): Promise<{ public_key: string; private_key: string }> {
  const { publicKey, privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: BITS })
  return {
    public_key: `ssh-rsa ${sshBlob(publicKey).toString('base64')} Generated-by-Bloomery`,
    private_key: privateKey.export({ type: 'pkcs1', format: 'pem' }).toString(),
  }
}

/** RFC 4253 §6.6: "ssh-rsa", e, n; each with its length before it. */
function sshBlob(key: KeyObject): Buffer {
  const { e = '', n = '' } = key.export({ format: 'jwk' })
  return Buffer.concat([Buffer.from('ssh-rsa'), mpint(e), mpint(n)].map((part) => Buffer.concat([length(part), part])))
}

/** RFC 4251 §5: a number whose first bit is set would be negative. */
function mpint(base64url: string): Buffer {
  const bytes = Buffer.from(base64url, 'base64url')
  return bytes[0]! >= 0x80 ? Buffer.concat([Buffer.from([0]), bytes]) : bytes
}

function length(part: Buffer): Buffer {
  const size = Buffer.alloc(4)
  size.writeUInt32BE(part.length)
  return size
}
