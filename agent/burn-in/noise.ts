import { createCipheriv } from 'node:crypto'

/** The same seed makes the same bytes, which nothing can guess or compress: a key stream (AES-256-CTR). */
export function noise(seed: number): (length: number) => Buffer {
  const key = Buffer.alloc(32)
  key.writeDoubleLE(seed)
  const cipher = createCipheriv('aes-256-ctr', key, Buffer.alloc(16))
  return (length) => cipher.update(Buffer.alloc(length))
}
