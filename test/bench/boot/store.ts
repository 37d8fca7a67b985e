import { createServer } from 'node:http'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { CHUNK_BYTES, manifestBlob, sha256Of } from '../../../contract/images/manifest.ts'
import { makeImage, placesOf } from '../../../contract/images/testing.ts'
import type { ImageReference } from '../../../contract/plan-sources.ts'

/** A store in the cloud that has an image of this machine's programs, at the end of a line of 1 Gb/s. usage: store.ts PORT */
const port = Number(process.argv[2])
const MEBIBYTES = 96
const BYTES_PER_MS = 1e9 / 8 / 1000
const programs = readdirSync('/usr/bin', { withFileTypes: true }).filter((entry) => entry.isFile())
const parts: Buffer[] = []
for (let size = 0; size < MEBIBYTES * CHUNK_BYTES;) {
  const part = readFileSync(join('/usr/bin', programs[parts.length % programs.length]!.name))
  parts.push(part)
  size += part.length
}
const image = makeImage(Buffer.concat(parts).subarray(0, MEBIBYTES * CHUNK_BYTES))
const reference: ImageReference = {
  name: 'filling',
  source: { kind: 'blob', key: manifestBlob('filling') },
  size: image.manifest.virtual_size,
  disk_format: 'raw',
  os_hash_algo: 'sha256',
  os_hash_value: image.manifest.sha256,
  manifest: { size: image.text.length, sha256: sha256Of(image.text) },
}
const base = `http://127.0.0.1:${port}`
const places = image.pages.map((page) => placesOf(page, (sha256) => `${base}/chunks/${sha256}`))
/** When the line is free again. */
let free = 0

createServer((request, reply) => {
  const [, what = '', which = ''] = (request.url ?? '').split('/')
  const found =
    what === 'reference'
      ? Buffer.from(JSON.stringify(reference))
      : what === 'manifest'
        ? Buffer.from(image.text)
        : what === 'places'
          ? Buffer.from(JSON.stringify(places[Number(which)]))
          : image.chunks.get(which)!
  free = Math.max(free, performance.now()) + found.length / BYTES_PER_MS
  void sleep(free - performance.now()).then(() => reply.writeHead(200, { 'content-length': found.length }).end(found))
}).listen(port, '127.0.0.1')
