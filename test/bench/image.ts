import { mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { cpus, loadavg } from 'node:os'
import { join } from 'node:path'
import { buildAgent } from '../../agent/bundle.ts'
import { sha256Of } from '../../contract/images/manifest.ts'
import { benchNetwork, median, SERVER, type BenchNetwork, type Serving } from './boot/network.ts'
import { leastWork } from './image/budget.ts'
import { makeDisk, storeChunks, type Disk, type Stored } from './image/make.ts'
import { detachAll, tool, usedDisk, type Loop } from './image/loop.ts'

/** How long an image takes to a disk: ours beside Ironic's way (qcow2 downloaded, then converted onto the disk) and beside what link and disk allow. Site
 * and machine are two network namespaces, joined by a cable of 1 and of 10 Gb/s; the disk is a loop device. */

const MiB = 1024 * 1024
const MEBIBYTES = Number(process.env['BENCH_IMAGE_MIB'] ?? 2048)
const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 3)
const GIGABITS = (process.env['BENCH_GIGABITS'] ?? '1,10').split(',').map(Number)
const PORT = 8080
const DEADLINE_MS = 300_000
const SITE = `http://${SERVER}:${PORT}`
const SITE_BY_TLS = `https://${SERVER}:${PORT + 1}`
const dir = join(import.meta.dirname, '../../.cache/bench-image')
/** In one file, as it is in the ramdisk. */
const AGENT = join(dir, 'agent.mjs')
/** As the ramdisk's, in which ironic-python-agent keeps what it downloads. */
const memory = `/dev/shm/bloomery-bench-${process.pid}`

interface Run {
  seconds: number
  /** Of all processors, in all programs and the kernel. */
  busy: number
  /** Of the site's program. */
  site: number
  /** Bytes of memory, and seconds of processors, of our agent. */
  peak?: number
  cpu?: number
}

type Way = (device: Loop) => Promise<Omit<Run, 'busy' | 'site'>>

export async function bench(): Promise<void> {
  mkdirSync(dir, { recursive: true })
  mkdirSync(memory)
  console.log(
    `an image of ${MEBIBYTES} MiB, 40 % full; ${cpus().length} cores, load ${loadavg()[0]?.toFixed(1)}; medians of ${ROUNDS}`,
  )
  const disk = await makeDisk(dir, MEBIBYTES)
  const qcow2 = join(dir, 'disk.qcow2')
  await tool('qemu-img', 'convert', '-O', 'qcow2', '-c', disk.path, qcow2)
  const stored = await storeChunks(disk.path, dir)
  const sizes = { 'non-zero': disk.full, 'in chunks': stored.manifest.stored_size, qcow2: statSync(qcow2).size }
  for (const [what, size] of Object.entries(sizes)) console.log(`  ${what.padEnd(10)} ${(size / MiB).toFixed(0)} MiB`)
  for (const threads of [1, cpus().length]) {
    const { seconds, unpacking, hashing } = await leastWork(stored.cache, threads)
    console.log(
      `  to unpack and hash them, nothing else, by ${threads} threads: ${seconds.toFixed(2)} s; processors ${unpacking.toFixed(2)} and ${hashing.toFixed(2)} s`,
    )
  }
  await buildAgent(AGENT, join(import.meta.dirname, 'image/agent-process.ts'))
  const network = benchNetwork()
  const clean = (): void => {
    network.stop()
    detachAll()
    rmSync(join(dir, 'target'), { force: true })
    rmSync(memory, { recursive: true, force: true })
  }
  const cut = (): never => {
    clean()
    process.exit(130)
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, cut)
  try {
    const manifest = join(dir, 'manifest')
    writeFileSync(manifest, stored.text)
    const files = [`disk.qcow2=${qcow2}`, `disk.raw=${disk.path}`, `all=${stored.all}`]
    const program = [process.execPath, join(import.meta.dirname, 'image/site-process.ts')]
    const site = [...program, SERVER, String(PORT), stored.cache, manifest, ...files]
    const serving = await network.serve(site, { port: PORT, protocol: 'tcp' }, { NODE_NO_WARNINGS: '1' })
    for (const gigabits of GIGABITS) {
      network.limit(gigabits)
      await measure(gigabits, { network, serving }, disk, stored, qcow2)
    }
    await serving.stop()
  } finally {
    clean()
  }
}

async function measure(
  gigabits: number,
  { network, serving }: { network: BenchNetwork; serving: Serving },
  disk: Disk,
  stored: Stored,
  qcow2: string,
): Promise<void> {
  const digest = (await tool('openssl', 'dgst', '-sha256', '-r', qcow2)).slice(0, 64)
  const rawInfo = {
    id: 'bench',
    urls: [`${SITE}/disk.raw`],
    os_hash_algo: 'sha256',
    os_hash_value: stored.manifest.sha256,
  }
  const ways: Record<string, Way> = {
    line: async () => await shell(network, `curl -sS --fail -o /dev/null ${SITE}/all`),
    dd: async ({ name }) => await shell(network, `dd if=${disk.filled} of=${name} bs=4M conv=fsync status=none`),
    'dd direct': async ({ name }) =>
      await shell(network, `dd if=${disk.filled} of=${name} bs=4M oflag=direct conv=fsync status=none`),
    ours: async (device) =>
      await agent(network, device, {
        ...rawInfo,
        bloomery_manifest: { url: `${SITE}/manifest`, sha256: sha256Of(stored.text) },
      }),
    'ours, by HTTPS': async (device) =>
      await agent(network, device, {
        ...rawInfo,
        bloomery_manifest: { url: `${SITE_BY_TLS}/manifest`, sha256: sha256Of(stored.text) },
      }),
    // The digest is taken on the way, which costs ironic-python-agent more: it takes it in Python, between two reads.
    Ironic: async ({ name }) =>
      await shell(
        network,
        `curl -sS --fail ${SITE}/disk.qcow2 | tee ${memory}/image | openssl dgst -sha256 -r | grep -q ${digest} &&
         qemu-img convert -t directsync -S 0 -O host_device -W ${memory}/image ${name} && sync ${name} && rm ${memory}/image`,
      ),
    'ours, raw by URL': async (device) => await agent(network, device, rawInfo),
    'ours, qcow2 by URL': async (device) =>
      await agent(network, device, {
        ...rawInfo,
        urls: [`${SITE}/disk.qcow2`],
        disk_format: 'qcow2',
        os_hash_value: digest,
      }),
  }
  // The site verifies what it reads for the first time in a life of its program.
  await once(disk, ways['ours']!, true, serving)
  const runs = new Map(Object.keys(ways).map((name) => [name, [] as Run[]]))
  for (let round = 0; round < ROUNDS; round += 1) {
    const order = Object.entries(ways)
    if (round % 2 === 1) order.reverse()
    for (const [name, way] of order)
      runs.get(name)!.push(await once(disk, way, !['line', 'dd', 'dd direct'].includes(name), serving))
  }
  report(gigabits, stored, runs)
}

function report(gigabits: number, stored: Stored, runs: Map<string, Run[]>): void {
  const of = (name: string, figure: (run: Run) => number = ({ seconds }) => seconds): number =>
    median(runs.get(name)!.map(figure))
  const fastest = Math.min(of('dd'), of('dd direct'))
  const floor = Math.max(of('line'), fastest)
  const ours = of('ours')
  console.log(
    `${gigabits} Gb/s: the line gives ${((stored.manifest.stored_size * 8) / of('line') / 1e9).toFixed(2)} Gb/s`,
  )
  console.log(
    `  floor ${floor.toFixed(2)} s: line ${of('line').toFixed(2)}, disk ${fastest.toFixed(2)} (dd ${of('dd').toFixed(2)}, with oflag=direct ${of('dd direct').toFixed(2)})`,
  )
  for (const name of runs.keys())
    console.log(
      `  ${name.padEnd(20)} ${of(name).toFixed(2)} s, ${(of(name) / floor).toFixed(2)} × floor, ${(of(name) / ours).toFixed(2)} × ours; ` +
        `processors ${of(name, ({ busy }) => busy).toFixed(2)} s, of them the site ${of(name, ({ site }) => site).toFixed(2)}` +
        (runs.get(name)![0]!.peak === undefined
          ? ''
          : `, the agent ${of(name, ({ cpu }) => cpu ?? 0).toFixed(2)}; memory ${(of(name, ({ peak }) => peak ?? 0) / MiB).toFixed(0)} MiB`),
    )
}

async function once(disk: Disk, way: Way, compare: boolean, serving: Serving): Promise<Run> {
  using device = await usedDisk(join(dir, 'target'), MEBIBYTES + 64)
  await tool('dd', `if=${disk.filled}`, 'of=/dev/null', 'bs=4M', 'status=none')
  const before = [busySeconds(), serving.cpuSeconds()] as const
  const run = await way(device)
  const [busy, site] = [busySeconds() - before[0], serving.cpuSeconds() - before[1]]
  if (compare && (await tool('cmp', '--bytes', String(MEBIBYTES * MiB), device.name, disk.path)) !== '')
    throw new Error('the disk is not the image')
  return { ...run, busy, site }
}

async function shell(network: BenchNetwork, script: string): Promise<{ seconds: number }> {
  const { code, output, milliseconds } = await network.client(['sh', '-c', script], DEADLINE_MS)
  if (code !== 0) throw new Error(`${script} ended with ${code}: ${output}`)
  return { seconds: milliseconds / 1000 }
}

/** The agent as it is, in a process of its own. */
async function agent(network: BenchNetwork, { name, size }: Loop, info: object): Promise<Omit<Run, 'busy' | 'site'>> {
  const disk = { name, size, sector: 512, rotational: false, discards: true }
  const argv = [process.execPath, AGENT, JSON.stringify({ disk, info })]
  const { code, output } = await network.client(argv, DEADLINE_MS)
  const result = output.split('\n').find((line) => line.startsWith('{"seconds"'))
  if (code !== 0 || result === undefined) throw new Error(`the agent ended with ${code}: ${output}`)
  return JSON.parse(result) as Omit<Run, 'busy' | 'site'>
}

function busySeconds(): number {
  const each = cpus().map(({ times: { user, nice, sys, irq } }) => user + nice + sys + irq)
  return each.reduce((sum, milliseconds) => sum + milliseconds, 0) / 1000
}
