import { execFile, fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { sha256Of } from '../../contract/images/manifest.ts'
import { makeDisk, storeChunks, type Stored } from './image/make.ts'

/** How long an image takes to a disk: ours beside Ironic's way (qcow2 downloaded, then converted onto the disk) and beside what line and disk
 * allow, on a loop device, over a line of this machine that is limited in rate. */

const MiB = 1024 * 1024
const MEBIBYTES = Number(process.env['BENCH_IMAGE_MIB'] ?? 2048)
const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 3)
const GBIT = 125_000_000
const dir = join(import.meta.dirname, '../../.cache/bench-image')

interface Run {
  seconds: number
  /** Bytes of memory. */
  peak: number
  /** Seconds of processors. */
  cpu: number
}

interface Device extends AsyncDisposable {
  name: string
}

export async function bench(): Promise<void> {
  mkdirSync(dir, { recursive: true })
  const raw = join(dir, 'disk.raw')
  const qcow2 = join(dir, 'disk.qcow2')
  console.log(`an image of ${MEBIBYTES} MiB, 40% full; ${cpus().length} cores; best of ${ROUNDS} rounds`)
  const full = await makeDisk(raw, MEBIBYTES)
  await tool('qemu-img', 'convert', '-O', 'qcow2', '-c', raw, qcow2)
  const stored = await storeChunks(raw, dir)
  const sizes = { 'non-zero': full, 'in chunks': stored.manifest.stored_size, qcow2: statSync(qcow2).size }
  for (const [what, size] of Object.entries(sizes)) console.log(`  ${what.padEnd(10)} ${(size / MiB).toFixed(0)} MiB`)
  const server = await serve(stored, qcow2)
  const port = (server.address() as AddressInfo).port
  try {
    const disk = best(await rounds(() => ddSeconds(raw, full)))
    console.log(`  dd writes the non-zero bytes in ${disk.toFixed(2)} s (${(full / MiB / disk).toFixed(0)} MiB/s)`)
    for (const gigabits of [1, 10]) await measure(gigabits, port, stored, disk, qcow2)
  } finally {
    server.close()
    server.closeAllConnections()
    for (const file of ['target', 'downloaded.qcow2', 'filled']) rmSync(join(dir, file), { force: true })
  }
}

async function measure(gigabits: number, port: number, stored: Stored, disk: number, qcow2: string): Promise<void> {
  const line = fork(join(import.meta.dirname, 'image/link-process.ts'), [String(port), String(gigabits * GBIT)])
  const [near] = (await once(line, 'message')) as [number]
  try {
    const base = `http://127.0.0.1:${near}`
    // What the line really gives: at 10 Gb/s this machine's own copying may be slower than that.
    const size = stored.manifest.stored_size
    const sending = best(await rounds(() => timed(() => fetched(`${base}/all`))))
    const floor = Math.max(sending, disk)
    const runs = await rounds(() => ours(base, stored))
    const seconds = best(runs.map((run) => run.seconds))
    const peak = Math.max(...runs.map((run) => run.peak))
    const theirs = best(await rounds(() => ironic(base, qcow2)))
    console.log(`${gigabits} Gb/s: the line gives ${((size * 8) / sending / 1e9).toFixed(2)} Gb/s`)
    console.log(`  floor ${floor.toFixed(2)} s (line ${sending.toFixed(2)}, disk ${disk.toFixed(2)})`)
    console.log(
      `  ours ${seconds.toFixed(2)} s: ${(seconds / floor).toFixed(2)} times the floor (at most 1.15), ${(peak / MiB).toFixed(0)} MiB of memory (at most 300), ${best(runs.map((run) => run.cpu)).toFixed(2)} s of CPU`,
    )
    console.log(`  Ironic's way ${theirs.toFixed(2)} s: ${(theirs / seconds).toFixed(2)} times ours (at least 2.5)`)
  } finally {
    line.kill()
  }
}

/** The agent as it is, in a process of its own. */
async function ours(base: string, stored: Stored): Promise<Run> {
  await using device = await loop()
  const disk = {
    name: device.name,
    size: (MEBIBYTES + 64) * MiB,
    sector: 512,
    rotational: false,
    discards: true,
  }
  const info = {
    id: 'bench',
    urls: [`${base}/raw`],
    os_hash_algo: 'sha256',
    os_hash_value: stored.manifest.sha256,
    bloomery_manifest: { url: `${base}/manifest`, sha256: sha256Of(stored.text) },
  }
  const child: ChildProcess = fork(join(import.meta.dirname, 'image/agent-process.ts'), [
    JSON.stringify({ disk, info }),
  ])
  const ended = once(child, 'exit').then(([code]) => {
    if (code !== 0) throw new Error(`the agent ended with ${code}`)
  })
  const [result] = (await Promise.race([once(child, 'message'), ended])) as [Run]
  await ended
  if ((await tool('cmp', '--bytes', String(MEBIBYTES * MiB), device.name, join(dir, 'disk.raw'))) !== '')
    throw new Error('the disk is not the image')
  return result
}

/** As ironic-python-agent does it: the qcow2 into memory's file system, its checksum, qemu-img onto the disk. */
async function ironic(base: string, qcow2: string): Promise<number> {
  await using device = await loop()
  const file = join(dir, 'downloaded.qcow2')
  const known = await tool('sha256sum', qcow2)
  return await timed(async () => {
    await tool('curl', '-sS', '--fail', '-o', file, `${base}/qcow2`)
    if ((await tool('sha256sum', file)).slice(0, 64) !== known.slice(0, 64)) throw new Error('not what was sent')
    await tool('qemu-img', 'convert', '-t', 'directsync', '-S', '0', '-O', 'host_device', '-W', file, device.name)
    await tool('sync', device.name)
  })
}

/** Nothing but the bytes, from memory to disk. */
async function ddSeconds(raw: string, full: number): Promise<number> {
  await using device = await loop()
  await tool('dd', `if=${raw}`, 'of=/dev/null', 'bs=4M', 'status=none')
  const filled = join(dir, 'filled')
  await tool('dd', 'if=/dev/urandom', `of=${filled}`, 'bs=4M', `count=${Math.ceil(full / MiB / 4)}`, 'status=none')
  return await timed(async () => {
    await tool('dd', `if=${filled}`, `of=${device.name}`, 'bs=4M', 'conv=fsync', 'status=none')
  })
}

/** A disk that was in use before: zeros must be written or unmapped. */
let devices = 0
async function loop(): Promise<Device> {
  const file = join(dir, 'target')
  rmSync(file, { force: true })
  writeFileSync(file, '')
  truncateSync(file, (MEBIBYTES + 64) * MiB)
  // A number of its own each time: the first free one is everybody else's too.
  devices += 1
  const number = 100 + (process.pid % 1000) * 100 + devices
  const name = `/dev/loop${number}`
  if (!existsSync(name)) await tool('mknod', '-m', '600', name, 'b', '7', String(number))
  await tool('losetup', '--partscan', name, file)
  return {
    name,
    async [Symbol.asyncDispose]() {
      await tool('losetup', '--detach', name)
      rmSync(name, { force: true })
    },
  }
}

async function serve(stored: Stored, qcow2: string): Promise<Server> {
  const chunks = await open(stored.path, 'r')
  const server = createServer((request, reply) => {
    const [, what, which = ''] = (request.url ?? '').split('/')
    const send = async (): Promise<void> => {
      const place = stored.places.get(which)
      if (what === 'manifest') reply.end(stored.text)
      else if (what === 'pages') reply.end(JSON.stringify(stored.pages[Number(which)]))
      else if (what === 'chunks' && place) {
        const { buffer } = await chunks.read(Buffer.allocUnsafe(place.length), 0, place.length, place.offset)
        reply.writeHead(200, { 'content-length': place.length }).end(buffer)
      } else {
        const file = await open(what === 'all' ? stored.path : qcow2, 'r')
        reply.writeHead(200, { 'content-length': (await file.stat()).size })
        file.createReadStream({ highWaterMark: MiB }).pipe(reply)
      }
    }
    send().catch(() => reply.destroy())
  })
  server.on('close', () => void chunks.close())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}

async function fetched(url: string): Promise<void> {
  const reply = await fetch(url)
  for await (const _ of reply.body as unknown as AsyncIterable<Uint8Array>);
}

async function timed(work: () => Promise<void>): Promise<number> {
  const began = performance.now()
  await work()
  return (performance.now() - began) / 1000
}

async function rounds<T>(work: () => Promise<T>): Promise<T[]> {
  const results: T[] = []
  for (let round = 0; round < ROUNDS; round += 1) results.push(await work())
  return results
}

function best(seconds: number[]): number {
  return Math.min(...seconds)
}

async function tool(program: string, ...args: string[]): Promise<string> {
  return (await promisify(execFile)(program, args, { timeout: 600_000 })).stdout
}
