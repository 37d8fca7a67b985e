import { createHash } from 'node:crypto'
import type { BlobParts } from '../../lambdas/platform.ts'

/** As S3 has them, beside blobs in memory. `open`: uploads that were begun and have not ended. */
export function memoryParts(stored: Map<string, Uint8Array>): BlobParts & { open: Map<string, Map<number, Buffer>> } {
  const open = new Map<string, Map<number, Buffer>>()
  let uploads = 0
  const partsOf = (upload: string): Map<number, Buffer> => {
    const parts = open.get(upload)
    if (!parts) throw new Error('NoSuchUpload')
    return parts
  }
  const tagOf = (bytes: Uint8Array): string => createHash('md5').update(bytes).digest('hex')
  return {
    open,
    async begin(key) {
      const upload = `${key}?${(uploads += 1)}`
      open.set(upload, new Map())
      return upload
    },
    async put(_, upload, number, bytes) {
      partsOf(upload).set(number, Buffer.from(bytes))
      return tagOf(bytes)
    },
    async complete(key, upload, tags) {
      const parts = tags.map((tag, at) => {
        const part = partsOf(upload).get(at + 1)
        if (!part || tagOf(part) !== tag) throw new Error('InvalidPart')
        return part
      })
      stored.set(key, Buffer.concat(parts))
      open.delete(upload)
    },
    async abort(_, upload) {
      open.delete(upload)
    },
  }
}
