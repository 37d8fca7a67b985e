import type { RequestListener } from 'node:http'
import { readFileSync } from 'node:fs'
import { sha256Of } from '../../../contract/images/manifest.ts'
import { readManifest } from '../../../contract/images/signature.ts'
import { answerFile, sendFile } from '../../../appliance/boot/http-file.ts'
import { openChunkCache } from '../../../appliance/images/chunks/chunk-cache.ts'
import { selfSigned } from '../../../appliance/certificates.ts'
import { answerChunked } from '../../../appliance/images/chunks/server.ts'
import { imagesListener } from '../../../appliance/images/listener.ts'
import { realClock } from '../../../appliance/real-clock.ts'

/** The site that has the image already: its own cache and its own server of chunks, and files whole; by HTTPS at the next port. Arguments: address,
 * port, the cache, the manifest's file, and files as NAME=PATH. */
const [address, port, dir, manifestFile, ...files] = process.argv.slice(2) as [string, string, string, string]
const text = readFileSync(manifestFile, 'utf8')
const paths = new Map(files.map((each: string) => each.split('=') as [string, string]))
const unreachable = (): never => {
  throw new Error('this site has everything')
}
const cache = openChunkCache({
  dir,
  keys: [],
  quota: async () => Infinity,
  clock: realClock,
  urls: { urlOf: unreachable, learn: unreachable },
  refresh: unreachable,
  get: unreachable,
  received: () => {},
})
const signal = new AbortController().signal
const want = { lane: 'bench', urgent: true, signal, trouble: () => {} }
const manifest = readManifest(text, [])
const image = await cache.open(
  {
    name: 'bench',
    source: { kind: 'blob', key: 'images/bench/manifest' },
    size: manifest.virtual_size,
    disk_format: 'raw',
    os_hash_algo: 'sha256',
    os_hash_value: manifest.sha256,
    manifest: { size: text.length, sha256: sha256Of(text) },
  },
  want,
)
const listener: RequestListener = (request, reply) => {
  const [, what = '', ...rest] = new URL(request.url ?? '/', 'http://site').pathname.split('/')
  const answer = async (): Promise<void> => {
    const path = paths.get(what)
    if (path === undefined)
      return answerChunked(
        cache,
        { plan: 'bench', image, want: (_, until) => ({ ...want, signal: until }) },
        [what, ...rest],
        request,
        reply,
      )
    const answered = await answerFile(path, request.headers.range)
    if (answered.range) await sendFile(reply, path, { ...answered, range: answered.range }, () => {})
    else reply.writeHead(answered.status).end()
  }
  answer().catch(() => reply.destroy())
}
imagesListener(listener, await selfSigned(address, new Date())).listen(Number(port) + 1, address)
imagesListener(listener, undefined).listen(Number(port), address)
process.once('SIGTERM', () => process.exit(0))
