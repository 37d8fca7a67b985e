import { hash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import { zstdDecompressSync } from 'node:zlib'
import { CHUNK_BYTES } from '../../../contract/images/manifest.ts'

/** Unpacks its share of the chunks and takes their digests, as the agent's threads do, and does nothing else. */
export interface Spent {
  unpacking: number
  hashing: number
}

const { files } = workerData as { files: string[] }
const seconds = (): number => {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1e6
}
const stored = files.map((file) => readFileSync(file))
parentPort!.once('message', () => {
  const spent: Spent = { unpacking: 0, hashing: 0 }
  for (const bytes of stored) {
    const begun = seconds()
    const plain = zstdDecompressSync(bytes, { maxOutputLength: CHUNK_BYTES, chunkSize: CHUNK_BYTES + 64 })
    const unpacked = seconds()
    hash('sha256', plain)
    spent.unpacking += unpacked - begun
    spent.hashing += seconds() - unpacked
    if (plain.length === CHUNK_BYTES) (plain.buffer as ArrayBuffer).transfer(0)
  }
  parentPort!.postMessage(spent)
})
parentPort!.postMessage('ready')
