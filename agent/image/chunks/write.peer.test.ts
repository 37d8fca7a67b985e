import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { expect, it, onTestFinished } from 'vitest'
import type { CommandProgress } from '../../../contract/agent.ts'
import { sha256Of } from '../../../contract/images/manifest.ts'
import { newImageKey } from '../../../contract/images/signature.ts'
import { makeImage, type MadeImage } from '../../../contract/images/testing.ts'
import { createIdentity, type Identity } from '../../api/certificate.ts'
import { realClock } from '../../clock.ts'
import { type Disk, MiB } from '../../disks/disk.ts'
import { contents, usedDisk } from '../../disks/loop-disk.ts'
import { createLog } from '../../log.ts'
import { deployImage } from '../deploy.ts'

/** Data, a long hole, more data, and an end that fills no chunk. */
const image = Buffer.concat([
  randomBytes(3 * MiB),
  Buffer.alloc(2 * MiB),
  randomBytes(2 * MiB),
  Buffer.alloc(40 * MiB),
  randomBytes(MiB + 4096),
])
// A table that the kernel can read: one partition, from 1 MiB on.
image.fill(0, 440, 512)
image.set([0, 0, 2, 0, 0x83, 0, 0, 0, 0, 8, 0, 0, 0, 0x40, 1, 0], 446)
image.set([0x55, 0xaa], 510)
const log = createLog(() => undefined, realClock.now)

/** What the agent trusts, and what the site shows if that is something else. */
type Tls = Identity & { shown?: Identity }

type Trouble = (request: IncomingMessage, reply: ServerResponse, bytes: Buffer) => boolean

/** A site that has the image; `trouble` may answer in its stead. */
async function site(made: MadeImage, trouble: Trouble = () => false, tls?: Tls): Promise<string> {
  const answer: RequestListener = (request, reply) => {
    const [, what, which = ''] = new URL(request.url ?? '', 'http://site').pathname.split('/')
    const page = made.pages[Number(which)]
    const found =
      what === 'manifest'
        ? Buffer.from(made.text)
        : what === 'pages'
          ? page && Buffer.from(JSON.stringify(page))
          : made.chunks.get(which)
    if (!found) return reply.writeHead(404).end()
    if (trouble(request, reply, found)) return
    return reply.writeHead(200, { 'content-length': found.length }).end(found)
  }
  const shown = tls?.shown ?? tls
  const server = shown ? createTlsServer({ cert: shown.certificate, key: shown.key }, answer) : createServer(answer)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  return `${tls ? 'https' : 'http'}://127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function deploy(disk: Disk, made: MadeImage, trouble?: Trouble, keys: string[] = [], tls?: Tls) {
  const base = await site(made, trouble, tls)
  const seen: CommandProgress[] = []
  const info = {
    id: 'debian',
    urls: [`${base}/raw`],
    os_hash_algo: 'sha256',
    os_hash_value: made.manifest.sha256,
    bloomery_manifest: { url: `${base}/manifest`, sha256: sha256Of(made.text) },
  }
  const means = {
    trust: { ca: tls?.certificate },
    clock: realClock,
    log,
    seconds: 2,
    retries: 2,
    retryInterval: 0,
    imageKeys: keys,
  }
  await deployImage({ image_info: info }, disk, means, (progress) => seen.push(progress))
  return seen
}

const good = makeImage(image)

it('writes what the image has, and zeros where it has nothing', async () => {
  const disk = usedDisk(64)
  const seen = await deploy(disk, good)
  expect(contents(disk, image.length).equals(image)).toBe(true)
  expect(seen.at(-1)).toMatchObject({ percent: 100, bytes: image.length })
})

it('comes by TLS too, from a site whose certificate it knows, and from no other', async () => {
  const disk = usedDisk(64)
  const [site, other] = [await createIdentity('127.0.0.1', Date.now()), await createIdentity('127.0.0.1', Date.now())]
  await deploy(disk, good, undefined, [], site)
  expect(contents(disk, image.length).equals(image)).toBe(true)
  const stranger = { ...site, shown: other }
  await expect(deploy(disk, good, undefined, [], stranger)).rejects.toThrow(/can't be had/)
})

it('goes on at the chunk where a connection broke, a byte was wrong, or the site had to fetch it first', async () => {
  const disk = usedDisk(64)
  const met = new Map<string, number>()
  const trouble: Trouble = (request, reply, bytes) => {
    const [path = '', again] = (request.url ?? '').split('?')
    const times = (met.get(path) ?? 0) + 1
    met.set(path, times)
    if (!path.startsWith('/chunks/') || times > 1) return again !== undefined && times < 2
    const kind = met.size % 4
    if (kind === 0)
      reply.writeHead(200, { 'content-length': bytes.length }).write(bytes.subarray(0, 1000), () => reply.destroy())
    else if (kind === 1) reply.writeHead(503, { 'retry-after': '1' }).end()
    else if (kind === 2)
      reply.writeHead(200).end(Buffer.concat([bytes.subarray(0, -1), Buffer.from([bytes.at(-1)! ^ 1])]))
    else reply.writeHead(500).end()
    return true
  }
  await deploy(disk, good, trouble)
  expect(contents(disk, image.length).equals(image)).toBe(true)
})

it('leaves nothing that boots when a chunk can’t be had or fails verification', async () => {
  const wrong: Trouble = (request, reply, bytes) => {
    if (!request.url?.includes([...good.chunks.keys()].at(-1)!)) return false
    reply.writeHead(200).end(bytes.subarray(1))
    return true
  }
  const disk = usedDisk(64)
  await expect(deploy(disk, good, wrong)).rejects.toThrow(/fail verification/)
  expect(contents(disk, MiB).every((byte) => byte === 0)).toBe(true)
  const gone: Trouble = (request, reply) => {
    if (!request.url?.startsWith('/chunks/')) return false
    reply.writeHead(502).end('chunk 12 of image debian is no longer in the store; push the image again')
    return true
  }
  await expect(deploy(disk, good, gone)).rejects.toThrow(/no longer in the store/)
})

it('holds manifest and pages to their digests, and to the keys of the ramdisk', async () => {
  const disk = usedDisk(64)
  const key = newImageKey()
  const signed = makeImage(image, key.privateKey)
  await expect(deploy(disk, good, undefined, [key.publicKey])).rejects.toThrow(/not signed/)
  await deploy(disk, signed, undefined, [key.publicKey])
  expect(contents(disk, image.length).equals(image)).toBe(true)
  const other: Trouble = (request, reply) => {
    if (!request.url?.startsWith('/pages/')) return false
    reply.writeHead(200).end(JSON.stringify(good.pages[0]!.toReversed()))
    return true
  }
  await expect(deploy(disk, good, other)).rejects.toThrow(/fail verification/)
})
