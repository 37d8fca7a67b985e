import { ImageError } from './error.ts'

/** Bytes of the frame that `bytes` begins with (RFC 8878 §3.1.1), which may have others after it. Throws ImageError. */
export function zstdFrameLength(bytes: Buffer): number {
  if (bytes.length < 6 || bytes.readUInt32LE(0) !== 0xfd2fb528) throw broken()
  const descriptor = bytes[4]!
  const single = (descriptor & 0x20) !== 0
  const contentSize = [single ? 1 : 0, 2, 4, 8][descriptor >> 6]!
  const dictionaryId = [0, 1, 2, 4][descriptor & 3]!
  const checksum = descriptor & 4 ? 4 : 0
  let at = 5 + (single ? 0 : 1) + dictionaryId + contentSize
  for (;;) {
    if (at + 3 > bytes.length) throw broken()
    const block = bytes.readUIntLE(at, 3)
    // A block of type 1 (RLE) is one byte, repeated.
    at += 3 + (((block >> 1) & 3) === 1 ? 1 : block >> 3)
    if (block & 1) break
  }
  if (at + checksum > bytes.length) throw broken()
  return at + checksum
}

function broken(): ImageError {
  return new ImageError('it holds a torn zstd frame')
}
