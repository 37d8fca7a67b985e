import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { zstdCompressSync } from 'node:zlib'
import { hashSync } from 'bcryptjs'
import { expect, it, onTestFinished } from 'vitest'
import { hastyClock } from '../../../testing/blob-server.ts'
import { temporaryFolder } from '../../../testing/temporary-folder.ts'
import { machine } from '../../../testing/plans.ts'
import { openCache } from '../../cache.ts'
import { findRemote } from '../find.ts'
import { withRemote } from '../with-remote.ts'

/** Debian's registry, into which skopeo has copied an image of two architectures, as people's tools would. */

const run = promisify(execFile)
const SECONDS = 180_000

async function startRegistry(password: string): Promise<string> {
  const folder = temporaryFolder()
  writeFileSync(join(folder, 'htpasswd'), `robot:${hashSync(password, 4)}\n`)
  const config = {
    version: '0.1',
    log: { level: 'info', formatter: 'json' },
    storage: { filesystem: { rootdirectory: join(folder, 'storage') } },
    http: { addr: '127.0.0.1:0' },
    auth: { htpasswd: { realm: 'images', path: join(folder, 'htpasswd') } },
  }
  writeFileSync(join(folder, 'config.yml'), JSON.stringify(config))
  const registry = spawn('docker-registry', ['serve', join(folder, 'config.yml')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  onTestFinished(() => stop(registry))
  for await (const line of createInterface({ input: registry.stderr })) {
    const address = /listening on (127\.0\.0\.1:\d+)/.exec(line)?.[1]
    if (address === undefined) continue
    registry.stderr.resume()
    return address
  }
  throw new Error('docker-registry ended')
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return
  child.kill()
  await once(child, 'exit')
}

/** A container of some layers, as `podman build` would leave it. */
function container(layers: Buffer[], Labels?: Record<string, string>): string {
  const folder = temporaryFolder()
  const blobs = join(folder, 'blobs/sha256')
  mkdirSync(blobs, { recursive: true })
  const put = (bytes: Buffer, mediaType: string) => {
    const hex = createHash('sha256').update(bytes).digest('hex')
    writeFileSync(join(blobs, hex), bytes)
    return { mediaType, digest: `sha256:${hex}`, size: bytes.length }
  }
  const json = (value: object, mediaType: string) => put(Buffer.from(JSON.stringify(value)), mediaType)
  const diff_ids = layers.map((bytes) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`)
  const config = json(
    { architecture: 'amd64', os: 'linux', config: { Labels }, rootfs: { type: 'layers', diff_ids } },
    'application/vnd.oci.image.config.v1+json',
  )
  const mediaType = 'application/vnd.oci.image.manifest.v1+json'
  const placed = layers.map((bytes) => put(bytes, 'application/vnd.oci.image.layer.v1.tar'))
  const manifest = json({ schemaVersion: 2, mediaType, config, layers: placed }, mediaType)
  const named = { ...manifest, annotations: { 'org.opencontainers.image.ref.name': '13' } }
  writeFileSync(join(folder, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}')
  writeFileSync(join(folder, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [named] }))
  return folder
}

/** An OCI image layout (image-layout.md): an index of one disk for each architecture. */
function layout(disks: Record<string, Buffer>): string {
  const folder = temporaryFolder()
  const blobs = join(folder, 'blobs/sha256')
  mkdirSync(blobs, { recursive: true })
  const put = (bytes: Buffer, mediaType: string) => {
    const hex = createHash('sha256').update(bytes).digest('hex')
    writeFileSync(join(blobs, hex), bytes)
    return { mediaType, digest: `sha256:${hex}`, size: bytes.length }
  }
  const json = (value: object, mediaType: string) => put(Buffer.from(JSON.stringify(value)), mediaType)
  const manifests = Object.entries(disks).map(([architecture, bytes]) => {
    const config = json(
      { architecture, os: 'linux', rootfs: { type: 'layers', diff_ids: [] } },
      'application/vnd.oci.image.config.v1+json',
    )
    const layer = put(bytes, 'application/vnd.oci.image.layer.v1.tar')
    const mediaType = 'application/vnd.oci.image.manifest.v1+json'
    const manifest = json({ schemaVersion: 2, mediaType, config, layers: [layer] }, mediaType)
    return { ...manifest, platform: { architecture, os: 'linux' }, annotations: { disktype: 'raw' } }
  })
  const mediaType = 'application/vnd.oci.image.index.v1+json'
  const index = json({ schemaVersion: 2, mediaType, manifests }, mediaType)
  const named = { ...index, annotations: { 'org.opencontainers.image.ref.name': '13' } }
  writeFileSync(join(folder, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}')
  writeFileSync(join(folder, 'index.json'), JSON.stringify({ schemaVersion: 2, mediaType, manifests: [named] }))
  return folder
}

it(
  'an image in Debian’s registry is deployed to the architecture that it is for, once for however many',
  async () => {
    const host = await startRegistry('hush')
    const disks = { arm64: randomBytes(300_000), amd64: randomBytes(3_000_000) }
    const folder = layout({ arm64: zstdCompressSync(disks.arm64), amd64: disks.amd64 })
    const to = ['--dest-tls-verify=false', '--dest-creds', 'robot:hush', `docker://${host}/os/debian:13`]
    await run('skopeo', ['copy', '--insecure-policy', '--all', `oci:${folder}:13`, ...to])

    const dir = join(temporaryFolder(), 'images')
    const asked: string[] = []
    const cache = openCache({
      dir,
      quota: 1 << 26,
      urls: { learn: () => {}, urlOf: () => undefined },
      refresh: () => {},
      clock: hastyClock,
      get: fetch,
      inUse: () => [],
      serve: (_, name) => name,
    })
    const options = { commandOf: 'p', signal: AbortSignal.timeout(SECONDS), trouble: () => {}, progress: () => {} }
    const deploy = async (arch: 'x86_64' | 'aarch64', secret: string | undefined): Promise<Buffer> => {
      const reference = `oci://${host}/os/debian:13`
      const found = await findRemote(
        { name: 'debian', place: { kind: 'oci', reference }, disk_format: null, checksum: null, allow_md5: false },
        {
          ...options,
          clock: hastyClock,
          get(url, init) {
            asked.push((url as string).replace(/sha256:.*/, 'sha256'))
            return fetch(url, init)
          },
          config: { file_url_allowed_paths: [], oci_http_registries: [host] },
          arch,
          secret: () => secret,
        },
      )
      return readFileSync(join(dir, (await cache.fetch(found, options)).url))
    }
    await expect(deploy('x86_64', undefined)).rejects.toThrow('instance_info/image_pull_secret')
    await expect(deploy('x86_64', 'robot:wrong')).rejects.toThrow('check its credentials')
    asked.length = 0
    const all = await Promise.all([1, 2, 3].map(() => deploy('x86_64', 'robot:hush')))
    expect(all.every((each) => each.equals(disks.amd64))).toBe(true)
    expect(asked.filter((url) => url.endsWith('/blobs/sha256')).length).toBeLessThanOrEqual(2)
    expect((await deploy('aarch64', 'robot:hush')).equals(disks.arm64)).toBe(true)
  },
  SECONDS,
)

it(
  'a container is at the site whole, each of its parts once, and what is no container is refused',
  async () => {
    const host = await startRegistry('hush')
    const layers = [randomBytes(400_000), randomBytes(100_000)]
    const copy = (from: string, to: string) =>
      run('skopeo', [
        'copy',
        '--insecure-policy',
        '--dest-tls-verify=false',
        '--dest-creds',
        'robot:hush',
        '--all',
        `oci:${from}:13`,
        `docker://${host}/${to}`,
      ])
    await copy(container(layers), 'os/bootc:13')
    await copy(layout({ arm64: Buffer.from('a disk') }), 'os/disk:13')
    await copy(container([layers[0]!], { 'containers.bootc': '1' }), 'os/labelled:13')
    const dir = join(temporaryFolder(), 'images')
    const asked: string[] = []
    const get: typeof fetch = (url, init) => {
      asked.push((url as string).replace(/.*\/v2/, ''))
      return fetch(url, init)
    }
    const cache = openCache({
      dir,
      quota: 1 << 26,
      urls: { learn: () => {}, urlOf: () => undefined },
      refresh: () => {},
      clock: hastyClock,
      get,
      inUse: () => [],
      serve: (_, name) => name,
    })
    const images = withRemote(cache, {
      config: { file_url_allowed_paths: [], oci_http_registries: [host] },
      clock: hastyClock,
      get,
      machine: () => undefined,
      secretOf: () => undefined,
    })
    const withSecret = withRemote(cache, {
      config: { file_url_allowed_paths: [], oci_http_registries: [host] },
      clock: hastyClock,
      get,
      machine: () => machine(),
      secretOf: () => 'robot:hush',
    })
    const options = { commandOf: 'p', signal: AbortSignal.timeout(SECONDS), trouble: () => {} }
    const percents: number[] = []
    const named = (name: string) => {
      const place = { kind: 'oci' as const, reference: `oci://${host}/${name}` }
      return { name, place, disk_format: null, checksum: null, allow_md5: false }
    }
    const bring = (of: typeof images, name: string) =>
      of.container(named(name), { ...options, progress: (percent) => percents.push(percent) })
    const boots = (name: string) => withSecret.isBootable(named(name), { ...options, commandOf: name })
    expect([await boots('os/labelled:13'), await boots('os/bootc:13'), await boots('os/disk:13')]).toEqual([
      true,
      false,
      false,
    ])
    await expect(bring(images, 'os/bootc:13')).rejects.toThrow('instance_info/image_pull_secret')
    await expect(bring(withSecret, 'os/disk:13')).rejects.toThrow('its index lists no container for x86_64')
    asked.length = 0
    const found = await bring(withSecret, 'os/bootc:13')
    expect(found.reference).toBe(`${host}/os/bootc:13`)
    const stored = [found.manifest, found.config, ...found.layers].map(({ url }) => readFileSync(join(dir, url)))
    for (const [index, { digest, size }] of [found.manifest, found.config, ...found.layers].entries()) {
      expect(`sha256:${createHash('sha256').update(stored[index]!).digest('hex')}`).toBe(digest)
      expect(stored[index]!).toHaveLength(size)
    }
    expect(Math.max(...percents)).toBeLessThanOrEqual(100)
    const again = await bring(withSecret, 'os/bootc:13')
    expect(again).toEqual(found)
    expect(asked.filter((url) => url.includes('/blobs/')).length).toBeLessThanOrEqual(4)
  },
  SECONDS,
)
