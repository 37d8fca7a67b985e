import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { makeImage } from '../../contract/images/testing.ts'
import { CHUNK_BYTES } from '../../contract/images/manifest.ts'
import { openPeerSite, type PeerSite } from '../rack/images/peer-site.ts'
import { writeAsAgent } from '../rack/images/sharing-agent.ts'

const CHUNKS = 8
const disk = Buffer.concat([randomBytes(CHUNKS * CHUNK_BYTES - 1000), Buffer.alloc(1000 + CHUNK_BYTES)])
const image = makeImage(disk)
const stored = image.manifest.stored_size

let dir: string
let site: PeerSite
let warned: string[]
const nothing = (): void => {}
const log = {
  debug: nothing,
  info: nothing,
  warn: (text: string, facts?: Record<string, unknown>) => void warned.push(`${text} ${JSON.stringify(facts)}`),
  error: nothing,
  recent: () => '',
}

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'image-peers-'))
  site = await openPeerSite(image, { dir: join(dir, 'chunks'), above: 4 })
  warned = []
})
afterEach(async () => {
  await site.close()
  rmSync(dir, { recursive: true, force: true })
})

async function deploy(name: string, machines: number): Promise<number> {
  const before = site.toAgents
  const all = Array.from({ length: machines }, async (_, at) => {
    const path = join(dir, `${name}-${at}`)
    await writeAsAgent(await site.infoFor(`${name}-${at}`), path, 1, log)
    expect(readFileSync(path).equals(disk)).toBe(true)
    rmSync(path)
  })
  await Promise.all(all)
  return site.toAgents - before
}

test('32 machines take no more from the site than 8 would without peers, and the store gives each byte once', async () => {
  const four = await deploy('few', 4)
  expect(four).toBe(4 * stored)
  const many = await deploy('many', 32)
  expect(many).toBeLessThanOrEqual(2 * four)
  expect(site.fromStore).toBeLessThanOrEqual(1.02 * stored + image.text.length + 100_000)
  expect(warned.filter((line) => line.includes('wrong bytes'))).toEqual([])
}, 300_000)

test('a peer that gives wrong bytes is dropped and named, one that is silent or gone is done without, and every disk is right', async () => {
  let asked = 0
  const rogue = createServer((_, reply) => {
    asked += 1
    reply.end(randomBytes(1000))
  })
  const port = await listening(rogue)
  const gone = createServer()
  const closed = await listening(gone)
  gone.close()
  const have = [...image.chunks.keys()]
  // It says that it has all, and so does one that is off.
  for (const [plan, at] of [
    ['rogue', port],
    ['off', closed],
  ] as const) {
    const { bloomery_manifest: manifest } = await site.infoFor(plan)
    const base = manifest!.url.slice(0, manifest!.url.lastIndexOf('/'))
    await fetch(`${base}/chunks/${have[0]}?from=${at}`, { headers: { 'x-bloomery-have': have.join(',') } })
  }
  await deploy('honest', 6)
  expect(asked).toBeGreaterThan(0)
  const named = warned.filter((line) => line.includes('wrong bytes from a peer') && line.includes(`:${port}"`))
  expect(named.length).toBeGreaterThan(0)
  // Each of the six asked it until the first wrong chunk, one at most for each lane.
  expect(asked).toBeLessThanOrEqual(12)
  rogue.closeAllConnections()
  rogue.close()
}, 300_000)

async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}
