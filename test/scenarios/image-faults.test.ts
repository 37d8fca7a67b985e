import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { ImageInfo } from '../../contract/agent.ts'
import { imagePlaces } from '../../contract/images/manifest.ts'
import { newImageKey } from '../../contract/images/signature.ts'
import { makeImage, type MadeImage } from '../../contract/images/testing.ts'
import { hastyClock } from '../../appliance/testing/blob-server.ts'
import { realClock } from '../../agent/clock.ts'
import { type Disk, MiB } from '../../agent/disks/disk.ts'
import { contents, loopDisk, tool, usedDisk } from '../../agent/disks/loop-disk.ts'
import { deployImage } from '../../agent/image/deploy.ts'
import { createLog } from '../../agent/log.ts'
import { type Fate, openLink } from '../rack/images/link.ts'
import { openPeerSite, type PeerSiteOptions } from '../rack/images/peer-site.ts'

/** Whatever goes wrong between store and disk, at the end the disk is the image, byte for byte, or the deploy has failed with a reason and the
 * disk does not boot. Store and link are this test's; the site's cache and server, and the agent down to a block device, are the product's. */

const disk = Buffer.concat([randomBytes(2 * MiB), Buffer.alloc(2 * MiB), randomBytes(MiB + 4096)])
// A table that the kernel can read, so that the disk would boot: one partition, from 1 MiB on.
disk.fill(0, 440, 512)
disk.set([0, 0, 2, 0, 0x83, 0, 0, 0, 0, 8, 0, 0, 0, 0x10, 0, 0], 446)
disk.set([0x55, 0xaa], 510)
const key = newImageKey()
const stranger = newImageKey()
const unsigned = makeImage(disk)
const signed = makeImage(disk, key.privateKey)
const forged = makeImage(disk, stranger.privateKey)

type Fault = NonNullable<PeerSiteOptions['fault']>

interface Row {
  /** right: the disk is the image; else the deploy fails with this. */
  ends: 'right' | RegExp
  image?: MadeImage
  store?: () => Pick<PeerSiteOptions, 'fault' | 'refresh'>
  site?: Partial<PeerSiteOptions>
  /** Done to a cache that has the whole image. */
  earlier?: (objects: string[]) => void
  /** Where the cache is; else in a folder with room. */
  cache?: () => string
  link?: (nth: number) => Fate | undefined
  said?: (info: ImageInfo) => ImageInfo
  /** How long the agent bears a silence. */
  seconds?: number
  keys?: string[]
  disk?: () => Disk
  /** Of the same disk, before. */
  attempt?: (nth: number) => Fate | undefined
}

const status = (code: number) => Promise.resolve(new Response('no', { status: code }))
const isChunk = (path: string): boolean => path.startsWith('chunks/')
/** The fault meets each path so many times. */
function times(count: number, fault: Fault): Fault {
  const met = new Map<string, number>()
  return (path, bytes, signal) => {
    met.set(path, (met.get(path) ?? 0) + 1)
    return met.get(path)! <= count ? fault(path, bytes, signal) : undefined
  }
}
const damaged = (bytes: Buffer): Promise<Response> => {
  const other = Buffer.from(bytes)
  const at = Math.floor(other.length / 2)
  other[at] = other[at]! ^ 1
  return Promise.resolve(new Response(new Uint8Array(other)))
}
const reordered = (bytes: Buffer): Promise<Response> => {
  const { chunks, urls } = imagePlaces.parse(JSON.parse(bytes.toString()))
  return Promise.resolve(Response.json({ chunks: chunks.toReversed(), urls }))
}
const cut = (bytes: Buffer): Promise<Response> =>
  Promise.resolve(new Response(new Uint8Array(bytes.subarray(0, bytes.length / 2))))
const broken = (bytes: Buffer): Promise<Response> => {
  const stream = new ReadableStream({
    start: (sink) => sink.enqueue(new Uint8Array(bytes.subarray(0, 10))),
    pull: (sink) => sink.error(new Error('the line broke')),
  })
  return Promise.resolve(new Response(stream))
}
const silent = (signal: AbortSignal): Promise<Response> =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))

const store: Record<string, Row> = {
  'the store answers 500 for a while': { ends: 'right', store: () => ({ fault: times(3, () => status(500)) }) },
  'the store throttles': { ends: 'right', store: () => ({ fault: times(2, () => status(503)) }) },
  'URLs have expired, until new ones are asked for': {
    ends: 'right',
    store() {
      const fresh = new Set<string>()
      let isFresh = false
      return {
        fault: (path) => (isFresh || fresh.has(path) ? undefined : status(403)),
        refresh(asked) {
          fresh.add(asked)
          isFresh ||= asked.includes('/places/')
        },
      }
    },
  },
  'the store truncates': { ends: 'right', store: () => ({ fault: times(2, (_, bytes) => cut(bytes)) }) },
  'the line to the store breaks': { ends: 'right', store: () => ({ fault: times(3, (_, bytes) => broken(bytes)) }) },
  'the store stalls': {
    ends: 'right',
    site: { stallMs: 300 },
    store: () => ({ fault: times(1, (_, __, signal) => silent(signal)) }),
  },
  'the store gives wrong bytes twice': {
    ends: 'right',
    store: () => ({ fault: times(2, (_, bytes) => damaged(bytes)) }),
  },
  'the store gives wrong chunks for good': {
    ends: /is not what was ordered: its store gives other bytes/,
    store: () => ({ fault: (path, bytes) => (isChunk(path) ? damaged(bytes) : undefined) }),
  },
  'the store gives another chunk': {
    ends: /is not what was ordered/,
    store: () => ({
      fault: (path) =>
        isChunk(path)
          ? Promise.resolve(new Response(new Uint8Array([...unsigned.chunks.values()].at(-1)!.subarray(1))))
          : undefined,
    }),
  },
  'the store has lost a chunk': {
    ends: /no longer in the store/,
    store: () => ({ fault: (path) => (isChunk(path) ? status(404) : undefined) }),
  },
  'the store has lost the manifest': {
    ends: /no longer in the store/,
    store: () => ({ fault: (path) => (path.endsWith('manifest') ? status(404) : undefined) }),
  },
  'the store gives another manifest': {
    ends: /is not what was ordered/,
    store: () => ({ fault: (path, bytes) => (path.endsWith('manifest') ? damaged(bytes) : undefined) }),
  },
  'the store gives other pages': {
    ends: /is not what was ordered/,
    store: () => ({ fault: (path, bytes) => (path.includes('/places/') ? reordered(bytes) : undefined) }),
  },
}

const inEach =
  (change: (path: string, bytes: Buffer) => void) =>
  (objects: string[]): void =>
    objects.forEach((path) => change(path, readFileSync(path)))
const cache: Record<string, Row> = {
  'what the site kept has rotted': {
    ends: 'right',
    earlier: inEach((path, bytes) => {
      bytes[bytes.length - 5]! ^= 1
      writeFileSync(path, bytes)
    }),
  },
  'a power cut left objects without contents': { ends: 'right', earlier: inEach((path) => truncateSync(path, 0)) },
  'a power cut left objects torn': {
    ends: 'right',
    earlier: inEach((path, bytes) => truncateSync(path, Math.floor(bytes.length / 2))),
  },
  'a power cut left objects of zeros': {
    ends: 'right',
    earlier: inEach((path, bytes) => writeFileSync(path, Buffer.alloc(bytes.length))),
  },
  'a power cut left objects that were not renamed': {
    ends: 'right',
    earlier: inEach((path, bytes) => {
      for (const [at, length] of [0, 1, bytes.length - 1, bytes.length].entries())
        writeFileSync(`${path}.${at}.1.part`, bytes.subarray(0, length))
      rmSync(path)
    }),
  },
  'objects of the site have been swapped': {
    ends: 'right',
    earlier(objects) {
      const chunks = objects.filter((path) => path.includes('chunk-'))
      const bytes = chunks.map((path) => readFileSync(path))
      chunks.forEach((path, at) => writeFileSync(path, bytes[(at + 1) % bytes.length]!))
    },
  },
  'the quota has room for nothing': { ends: 'right', site: { quota: 1 } },
  'the quota has room for one chunk': { ends: 'right', site: { quota: 1.5 * MiB } },
  'the site’s disk is full': { ends: 'right', cache: () => fullDisk(2 * MiB) },
  'the site’s disk has no room at all': { ends: 'right', cache: () => fullDisk(128 * 1024) },
}

const agent: Record<string, Row> = {
  ...Object.fromEntries(
    [0, 1, 200, 5_000, 400_000, 1_048_700].map((after) => [
      `the agent’s link breaks after ${after} bytes, many times`,
      { ends: 'right', link: (nth: number) => (nth <= 5 ? { after, ends: 'broken' } : undefined) } satisfies Row,
    ]),
  ),
  'the agent’s link breaks always': { ends: /can't be had/, link: () => ({ after: 100, ends: 'broken' }) },
  'the agent’s link falls silent': {
    ends: 'right',
    seconds: 2,
    link: (nth) => (nth === 2 || nth === 4 ? { after: 50_000, ends: 'silent' } : undefined),
  },
  'an earlier attempt on the disk broke off': {
    ends: 'right',
    attempt: (nth) => ({ after: nth === 1 ? 1_500_000 : 0, ends: 'broken' }),
  },
  'the manifest is not the one that was named': {
    ends: /fail verification/,
    said: (info) => ({ ...info, bloomery_manifest: { ...info.bloomery_manifest!, sha256: '0'.repeat(64) } }),
  },
  'the manifest is of another disk': {
    ends: /is of another disk/,
    said: (info) => ({ ...info, os_hash_value: '0'.repeat(64) }),
  },
  'the agent wants a signature, and there is none': { ends: /is not signed/, keys: [key.publicKey] },
  'a stranger has signed the image': { ends: /not among the accepted/, image: forged, keys: [key.publicKey] },
  'the site wants a signature, and there is none': { ends: /is not signed/, site: { keys: [key.publicKey] } },
  'the right one has signed the image': {
    ends: 'right',
    image: signed,
    keys: [stranger.publicKey, key.publicKey],
    site: { keys: [key.publicKey] },
  },
  'the disk is smaller than the image': { ends: /has only/, disk: () => loopDisk(4 * MiB) },
  'the disk fails while it is written': { ends: /can't be written|EIO|I\/O error|ENOSPC/i, disk: () => failingDisk() },
}

const log = createLog(() => undefined, realClock.now)
const LIMIT = 300_000

test.each(Object.entries({ ...store, ...cache, ...agent }))(
  '%s',
  async (_, row) => {
    const dir = row.cache?.() ?? join(temporary(), 'chunks')
    const image = row.image ?? unsigned
    const target = row.disk?.() ?? usedDisk(16)
    if (row.earlier) {
      const before = await openPeerSite(image, { dir, above: 4, clock: hastyClock })
      const info = await before.infoFor('before')
      await (await fetch(info.urls[0]!)).arrayBuffer()
      await before.close()
      const objects = filesUnder(dir)
      expect(objects.length).toBeGreaterThan(image.chunks.size)
      row.earlier(objects)
    }
    const site = await openPeerSite(image, { dir, above: 4, clock: hastyClock, ...row.site, ...row.store?.() })
    onTestFinished(() => site.close())
    const deploy = async (fate: Row['link']): Promise<unknown> => {
      const link = await openLink(site.port, fate ?? (() => undefined))
      onTestFinished(() => link.close())
      const info = await site.infoFor('plan', link.port)
      const means = {
        trust: {},
        clock: realClock,
        log,
        seconds: row.seconds ?? 20,
        retries: 8,
        retryInterval: 0,
        imageKeys: row.keys ?? [],
      }
      return deployImage({ image_info: row.said?.(info) ?? info }, target, means, () => {})
    }
    if (row.attempt) {
      await expect(deploy(row.attempt)).rejects.toThrow()
      expect(start(target).every((byte) => byte === 0)).toBe(true)
    }
    if (row.ends === 'right') {
      await deploy(row.link)
      expect(contents(target, disk.length).equals(disk)).toBe(true)
      return
    }
    await expect(deploy(row.link).catch((error: unknown) => Promise.reject(new Error(wholeOf(error))))).rejects.toThrow(
      row.ends,
    )
    // Either nothing was begun, or nothing that boots is left.
    expect(start(target).subarray(510, 512)).not.toEqual(Buffer.from([0x55, 0xaa]))
  },
  LIMIT,
)

function wholeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { message, details } = error as Error & { details?: string }
  return [message, details, error.cause === undefined ? '' : wholeOf(error.cause)].join(' ')
}

function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), 'image-faults-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** A file system of its own with so little room. */
function fullDisk(bytes: number): string {
  const folder = join(temporary(), 'full')
  mkdirSync(folder)
  tool('mount', '-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', folder)
  onTestFinished(() => void tool('umount', '--lazy', folder))
  return join(folder, 'chunks')
}

/** A block device that takes its ends and fails in between: what is behind it has no room. */
function failingDisk(): Disk {
  const folder = join(temporary(), 'disk')
  mkdirSync(folder)
  tool('mount', '-t', 'tmpfs', '-o', `size=${3 * MiB}`, 'tmpfs', folder)
  const size = 32 * MiB
  writeFileSync(join(folder, 'disk'), '')
  truncateSync(join(folder, 'disk'), size)
  const name = tool('losetup', '--find', '--show', join(folder, 'disk')).trim()
  onTestFinished(() => {
    tool('losetup', '--detach', name)
    tool('umount', '--lazy', folder)
  })
  return { name, size, sector: 512, rotational: false, discards: true }
}

const start = (of: Disk): Buffer => contents(of, 4096)

function filesUnder(dir: string): string[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
}
