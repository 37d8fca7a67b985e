import { createWriteStream } from 'node:fs'
import { rename } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { constants, createZstdCompress } from 'node:zlib'
import { type Entry, writeCpio } from './cpio.ts'

/** Node's own zstd, not the machine's, so that the bytes depend on the pinned Node alone. One thread: Node 24's stream
 * ends early with workers. */
const parameters = {
  [constants.ZSTD_c_compressionLevel]: 19,
  [constants.ZSTD_c_checksumFlag]: 0,
}

/** Writes one compressed cpio archive. Archives put one after the other make one initramfs. */
export async function writeLayer(entries: readonly Entry[], file: string): Promise<void> {
  const unfinished = `${file}.${process.pid}.part`
  const compress = createZstdCompress({ params: parameters })
  await pipeline(Readable.from(writeCpio(entries)), compress, createWriteStream(unfinished))
  await rename(unfinished, file)
}
