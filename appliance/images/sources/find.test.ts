import { createHash, randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { expect, it } from 'vitest'
import type { RemoteImage } from '../../../contract/images/remote.ts'
import { hastyClock } from '../../testing/blob-server.ts'
import { webServer, type WebServer } from '../../testing/web-server.ts'
import { temporaryFolder } from '../../testing/temporary-folder.ts'
import { openCache } from '../cache.ts'
import type { FoundImage } from '../images.ts'
import { type Finding, findRemote } from './find.ts'

const bytes = randomBytes(100_000)
const hash = (of: Buffer, algorithm = 'sha256'): string => createHash(algorithm).update(of).digest('hex')

function finding(more: Partial<Finding> = {}) {
  const troubles: string[] = []
  const means: Finding = {
    clock: hastyClock,
    get: fetch,
    signal: new AbortController().signal,
    trouble: (text) => void troubles.push(text),
    config: { file_url_allowed_paths: [], oci_http_registries: [] },
    arch: 'x86_64',
    secret: () => undefined,
    ...more,
  }
  return { ...means, troubles }
}

const image = (place: RemoteImage['place'], more: Partial<RemoteImage> = {}): RemoteImage => ({
  name: 'debian',
  place,
  disk_format: 'raw',
  checksum: null,
  allow_md5: false,
  ...more,
})

/** What the cache makes of it: the very bytes that would be written. */
async function cached(found: FoundImage, quota = 1 << 20): Promise<Buffer> {
  const dir = join(temporaryFolder(), 'images')
  const cache = openCache({
    dir,
    quota,
    urls: { learn: () => {}, urlOf: () => undefined },
    refresh: () => {},
    clock: hastyClock,
    get: () => Promise.reject(new Error('the site’s own way was used')),
    inUse: () => [],
    serve: (_, name) => name,
  })
  const signal = AbortSignal.timeout(30_000)
  const served = await cache.fetch(found, { commandOf: 'p', signal, trouble: () => {}, progress: () => {} })
  const disk = readFileSync(join(dir, served.url))
  expect(['sha256', 'sha512']).toContain(served.algorithm)
  expect(hash(disk, served.algorithm)).toBe(served.digest)
  return disk
}

async function web(sums: string, more: Partial<RemoteImage> = {}): Promise<{ server: WebServer; wanted: RemoteImage }> {
  const server = await webServer({ '/d.raw': bytes, '/sums': Buffer.from(sums) })
  const place = { kind: 'http' as const, url: `${server.url}/d.raw` }
  return { server, wanted: image(place, { checksum: { url: `${server.url}/sums` }, ...more }) }
}

it('an image on a web server is held to what its checksum file says of it', async () => {
  const { wanted } = await web(`${'0'.repeat(64)}  e.raw\n${hash(bytes)}  d.raw\n`)
  expect((await cached(await findRemote(wanted, finding()))).equals(bytes)).toBe(true)
  const wrong = await web(`${'0'.repeat(64)}  d.raw\n${hash(bytes)}  e.raw\n`)
  await expect(cached(await findRemote(wrong.wanted, finding()))).rejects.toThrow('is not what was ordered')
})

it('a checksum file that fails for a while is asked again; one without the name says so', async () => {
  const { server, wanted } = await web(`${hash(bytes)}  other\n${hash(bytes)}  another\n`)
  server.fault = (nth) => (nth <= 2 ? { status: 503 } : undefined)
  const means = finding()
  await expect(findRemote(wanted, means)).rejects.toThrow('/sums has no MD5, SHA-256 or SHA-512 of d.raw')
  expect(means.troubles.length).toBe(2)
  const gone = image(wanted.place, { checksum: { url: `${server.url}/none?signature=hush` } })
  await expect(findRemote(gone, finding())).rejects.toThrow("the checksum file of image debian can't be fetched")
})

it('a checksum file with nothing but an MD5 is refused unless that is allowed; then the agent is given a SHA-256', async () => {
  const { wanted } = await web(`${hash(bytes, 'md5')}  d.raw\n`)
  await expect(findRemote(wanted, finding())).rejects.toThrow('allow_md5_checksum')
  const found = await findRemote({ ...wanted, allow_md5: true }, finding())
  expect(found.os_hash_algo).toBe('md5')
  expect((await cached(found)).equals(bytes)).toBe(true)
})

it('a checksum file without end is not read to its end', async () => {
  const { wanted } = await web('x'.repeat(2 * 1024 * 1024))
  await expect(findRemote(wanted, finding())).rejects.toThrow('larger than the 1048576 bytes')
})

it('a web server that wants a password gets the node’s, and no other server does', async () => {
  const { server, wanted } = await web(`${hash(bytes)}  d.raw\n`)
  const elsewhere = await webServer({ '/sums': Buffer.from(`${hash(bytes)}  d.raw\n`) })
  server.fault = (_, { headers }) =>
    headers.authorization === `Basic ${Buffer.from('u:p:w').toString('base64')}` ? undefined : { status: 401 }
  await expect(findRemote(wanted, finding())).rejects.toThrow('HTTP 401; check its credentials')
  for (const secret of ['u:p:w', Buffer.from('u:p:w').toString('base64')]) {
    const means = finding({ secret: (key) => (key === 'image_request_authorization_secret' ? secret : undefined) })
    expect((await cached(await findRemote(wanted, means))).equals(bytes)).toBe(true)
    await findRemote({ ...wanted, checksum: { url: `${elsewhere.url}/sums` } }, means)
  }
  expect(elsewhere.asked.map(({ headers }) => headers.authorization)).toEqual([undefined, undefined])
  const refused = finding({ secret: () => 'u:other' })
  const direct = { ...wanted, checksum: { algorithm: 'sha256' as const, value: hash(bytes) } }
  await expect(cached(await findRemote(direct, refused))).rejects.toThrow('refuses (HTTP 401)')
  await expect(findRemote(wanted, finding({ secret: () => 'not a pair' }))).rejects.toThrow('neither USER:PASSWORD')
})

it('a file of the site’s own is deployed from allowed folders only, also by way of links and dots', async () => {
  const folder = temporaryFolder()
  for (const each of ['images', 'images-other', 'secret']) mkdirSync(join(folder, each))
  for (const each of ['images/d.raw', 'images-other/d.raw', 'secret/d.raw']) writeFileSync(join(folder, each), bytes)
  symlinkSync(join(folder, 'secret/d.raw'), join(folder, 'images/link'))
  symlinkSync(join(folder, 'images/d.raw'), join(folder, 'images/within'))
  const config = { file_url_allowed_paths: [join(folder, 'images')], oci_http_registries: [] }
  const at = (path: string) => findRemote(image({ kind: 'file', path: join(folder, path) }), finding({ config }))
  expect((await cached(await at('images/d.raw'))).equals(bytes)).toBe(true)
  expect((await cached(await at('images/within'))).equals(bytes)).toBe(true)
  for (const path of ['images/link', 'images-other/d.raw', 'secret/d.raw', 'images'])
    await expect(at(path), path).rejects.toThrow('in none of the folders')
  const dots = image({ kind: 'file', path: `${folder}/images/../secret/d.raw` })
  await expect(findRemote(dots, finding({ config }))).rejects.toThrow('in none of the folders')
  await expect(at('images/none')).rejects.toThrow('there is no')
  mkdirSync(join(folder, 'images/folder'))
  await expect(at('images/folder')).rejects.toThrow('is no file')
})

it('a file of the site’s own is held to a checksum that was given', async () => {
  const folder = temporaryFolder()
  writeFileSync(join(folder, 'd.raw'), bytes)
  const config = { file_url_allowed_paths: [folder], oci_http_registries: [] }
  const place = { kind: 'file' as const, path: join(folder, 'd.raw') }
  const wrong = image(place, { checksum: { algorithm: 'sha512', value: '1'.repeat(128) } })
  await expect(cached(await findRemote(wrong, finding({ config })))).rejects.toThrow('is not what was ordered')
  const right = image(place, { checksum: { algorithm: 'sha512', value: hash(bytes, 'sha512') } })
  expect((await cached(await findRemote(right, finding({ config })))).equals(bytes)).toBe(true)
})

/** A registry in which `latest` is an index with a disk for each of two architectures. */
async function registry(blob: Buffer, title = 'd.raw') {
  const layer = {
    mediaType: 'application/zstd',
    digest: `sha256:${hash(blob)}`,
    size: blob.length,
    annotations: { 'org.opencontainers.image.title': title },
  }
  const manifest = Buffer.from(JSON.stringify({ schemaVersion: 2, layers: [layer] }))
  const digest = `sha256:${hash(manifest)}`
  const other = { digest: `sha256:${'0'.repeat(64)}`, size: 2, platform: { architecture: 'arm64', os: 'linux' } }
  const mine = { digest, size: manifest.length, platform: { architecture: 'amd64', os: 'linux' } }
  const index = Buffer.from(JSON.stringify({ schemaVersion: 2, manifests: [other, mine] }))
  const server = await webServer({
    '/v2/os/debian/manifests/latest': index,
    [`/v2/os/debian/manifests/${digest}`]: manifest,
    [`/v2/os/debian/blobs/${layer.digest}`]: blob,
  })
  const host = server.url.slice('http://'.length)
  const config = { file_url_allowed_paths: [], oci_http_registries: [host] }
  return { server, host, digest, layer, config }
}

it('an image in a registry is found over its index, unpacked, and held to the digests on the way', async () => {
  for (const blob of [bytes, zstdCompressSync(bytes), gzipSync(bytes)]) {
    const { host, digest, config } = await registry(blob)
    for (const reference of [`oci://${host}/os/debian`, `oci://${host}/os/debian@${digest}`]) {
      const found = await findRemote(image({ kind: 'oci', reference }, { disk_format: null }), finding({ config }))
      expect((await cached(found)).equals(bytes)).toBe(true)
    }
  }
})

it('a registry that gives another manifest, or another blob, than was named is not believed', async () => {
  const { server, host, digest, layer, config } = await registry(bytes)
  const wanted = image({ kind: 'oci', reference: `oci://${host}/os/debian` })
  const found = await findRemote(wanted, finding({ config }))
  server.files[`/v2/os/debian/blobs/${layer.digest}`] = randomBytes(bytes.length)
  await expect(cached(found)).rejects.toThrow('is not what was ordered')
  server.files[`/v2/os/debian/manifests/${digest}`] = Buffer.from('{"layers":[]}')
  await expect(findRemote(wanted, finding({ config }))).rejects.toThrow(`for manifest ${digest} its registry gives`)
})

it('a packed image that grows beyond all bounds, or is damaged, is given up', async () => {
  const bomb = await registry(zstdCompressSync(Buffer.alloc(1 << 20)))
  const wanted = image({ kind: 'oci', reference: `oci://${bomb.host}/os/debian` })
  await expect(cached(await findRemote(wanted, finding({ config: bomb.config })), 200_000)).rejects.toThrow(
    'larger than the 200000 bytes',
  )
  const torn = await registry(gzipSync(bytes).subarray(0, 50_000))
  const damaged = image({ kind: 'oci', reference: `oci://${torn.host}/os/debian` })
  await expect(cached(await findRemote(damaged, finding({ config: torn.config })))).rejects.toThrow(
    'its gzip is damaged',
  )
})

it('a registry that wants a token is given one, for which the node’s secret is shown to the place that it names', async () => {
  const { server, host, config } = await registry(bytes)
  const basic = Buffer.from('robot:hush').toString('base64')
  const tokens = await webServer({ '/token': Buffer.from('{"token":"t0ken"}') })
  tokens.fault = (_, { headers }) => (headers.authorization === `Basic ${basic}` ? undefined : { status: 403 })
  const challenge = `Bearer realm="${tokens.url}/token",service="reg",scope="repository:os/debian:pull"`
  server.fault = (_, { headers }) =>
    headers.authorization === 'Bearer t0ken' ? undefined : { status: 401, headers: { 'www-authenticate': challenge } }
  const wanted = image({ kind: 'oci', reference: `oci://${host}/os/debian:latest` })
  await expect(findRemote(wanted, finding({ config }))).rejects.toThrow('instance_info/image_pull_secret')
  const found = await findRemote(wanted, finding({ config, secret: () => 'robot:hush' }))
  expect((await cached(found)).equals(bytes)).toBe(true)
  expect(tokens.asked.at(-1)?.url).toBe('/token?service=reg&scope=repository%3Aos%2Fdebian%3Apull')
  const path = join(temporaryFolder(), 'config.json')
  writeFileSync(path, JSON.stringify({ auths: { [host]: { auth: basic } } }))
  const bySite = finding({ config: { ...config, oci_authentication_config: path } })
  expect((await cached(await findRemote(wanted, bySite))).equals(bytes)).toBe(true)
})
