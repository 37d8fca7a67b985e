import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ipv4FromText, macFromBytes } from '@bloomery/wire/address.ts'
import { openLeaseJournal } from '../../../appliance/boot/lease-journal.ts'
import { CLIENT, median, SERVER, type BenchNetwork } from './network.ts'

const STEP_SECONDS = 3
const ROUNDS = 3
const WARM_SECONDS = 2
const FLAT_RATE = 2_000
const LADDER = [
  50, 80, 120, 200, 300, 450, 650, 900, 1_300, 1_800, 2_500, 3_200, 4_000, 4_800, 5_600, 6_600, 7_800, 9_200, 10_800,
  12_500, 14_500,
]
const DNSMASQ =
  'dnsmasq --keep-in-foreground --port=0 --conf-file=/dev/null --user=root --interface=eth0 ' +
  '--no-ping --quiet-dhcp --dhcp-authoritative --dhcp-lease-max=100000'
/** First and last address. */
const RANGE = ['10.77.10.0', '10.77.250.254'] as const

interface Contender {
  name: string
  /** How often it is measured; those that are far from the others need it less. */
  rounds: number
  /** Where in the ladder to begin. */
  start: number
  argv: (dir: string) => string[]
  prepare?: (dir: string) => void
  env?: (dir: string) => Record<string, string>
}

const contenders: Contender[] = [
  {
    name: 'bloomery',
    rounds: ROUNDS,
    start: 3_200,
    argv: (dir) => [process.execPath, join(import.meta.dirname, 'server.ts'), dir, SERVER],
    prepare: (dir) => writeFileSync(join(dir, 'big'), 'x'),
  },
  {
    name: 'kea, 1 thread, memfile',
    rounds: ROUNDS,
    start: 3_200,
    argv: (dir) => ['kea-dhcp4', '-c', join(dir, 'kea.json')],
    prepare: (dir) => writeFileSync(join(dir, 'kea.json'), JSON.stringify(kea(dir))),
    env: (dir) => ({ KEA_LOCKFILE_DIR: dir, KEA_PIDFILE_DIR: dir }),
  },
  {
    name: 'isc-dhcp-server',
    rounds: 1,
    start: 200,
    argv: (dir) => ['dhcpd', '-4', '-f', '-q', '-cf', `${dir}/dhcpd.conf`, '-lf', `${dir}/leases`, '--no-pid', 'eth0'],
    prepare(dir) {
      writeFileSync(join(dir, 'leases'), '')
      const range = `range ${RANGE[0]} ${RANGE[1]};`
      const subnet = `subnet 10.77.0.0 netmask 255.255.0.0 { ${range} }`
      writeFileSync(join(dir, 'dhcpd.conf'), `authoritative; ping-check false; default-lease-time 3600;\n${subnet}\n`)
    },
  },
  {
    name: 'dnsmasq',
    rounds: 1,
    start: 300,
    argv: (dir) => [
      ...DNSMASQ.split(' '),
      `--dhcp-range=${RANGE[0]},${RANGE[1]},255.255.0.0,1h`,
      `--dhcp-leasefile=${dir}/leases`,
    ],
  },
]

export interface DhcpResult {
  name: string
  perSecond: number
  cpuMicroseconds: number
}

/** The highest rate of four-way exchanges at which fewer than 1 % are lost; a fresh server and lease file at every step. */
export async function benchDhcp(network: BenchNetwork, dir: string): Promise<DhcpResult[]> {
  const found = new Map<Contender, { rates: number[]; cpu: number[] }>()
  for (let round = 0; round < ROUNDS; round += 1)
    for (const contender of contenders) {
      if (round >= contender.rounds) continue
      const { rate, cpu } = await climb(network, dir, contender)
      const so = found.get(contender) ?? { rates: [], cpu: [] }
      found.set(contender, { rates: [...so.rates, rate], cpu: [...so.cpu, cpu] })
    }
  return [...found].map(([{ name }, { rates, cpu }]) => ({
    name,
    perSecond: median(rates),
    cpuMicroseconds: median(cpu),
  }))
}

async function climb(network: BenchNetwork, dir: string, contender: Contender): Promise<{ rate: number; cpu: number }> {
  let at = LADDER.indexOf(contender.start)
  let best = { rate: 0, cpu: Number.NaN }
  for (;;) {
    const rate = LADDER[at]
    if (rate === undefined) return best
    const { lost, cpu } = await step(network, dir, contender, rate)
    if (lost < 0.01) {
      if (rate < best.rate) return best
      best = { rate, cpu }
      at += 1
    } else if (best.rate > 0) return best
    else at -= 1
  }
}

async function step(
  network: BenchNetwork,
  dir: string,
  contender: Contender,
  rate: number,
): Promise<{ lost: number; cpu: number }> {
  const own = join(dir, 'dhcp')
  rmSync(own, { recursive: true, force: true })
  mkdirSync(own, { recursive: true })
  contender.prepare?.(own)
  const server = await network.serve(contender.argv(own), { port: 67, protocol: 'udp' }, contender.env?.(own))
  try {
    await exchange(network, Math.ceil(rate / 2), WARM_SECONDS)
    const before = server.cpuSeconds()
    const { sent, acknowledged } = await exchange(network, rate, STEP_SECONDS)
    const cpu = ((server.cpuSeconds() - before) / Math.max(acknowledged, 1)) * 1e6
    // perfdhcp that cannot keep its rate has not shown that the server can.
    const wanted = rate * STEP_SECONDS * 0.9
    return { lost: sent < wanted ? 1 : 1 - acknowledged / sent, cpu }
  } finally {
    await server.stop()
  }
}

async function exchange(
  network: BenchNetwork,
  rate: number,
  seconds: number,
): Promise<{ sent: number; acknowledged: number }> {
  const options = ['-4', '-r', `${rate}`, '-R', '20000', '-p', `${seconds}`, '-W', '1000000', '-l', CLIENT]
  const { output } = await network.client(['perfdhcp', ...options, SERVER], (seconds + 10) * 1_000)
  const [sent = 0] = numbers(output, /sent packets: (\d+)/g)
  return { sent, acknowledged: numbers(output, /received packets: (\d+)/g)[1] ?? 0 }
}

/** Processor time of ours for an exchange, with so many leases of others there before. */
export async function benchDhcpLeases(
  network: BenchNetwork,
  dir: string,
  leases: readonly number[],
): Promise<number[]> {
  const found: number[] = []
  for (const count of leases) {
    const own = join(dir, 'dhcp')
    rmSync(own, { recursive: true, force: true })
    mkdirSync(own, { recursive: true })
    writeFileSync(join(own, 'big'), 'x')
    const journal = await openLeaseJournal(join(own, 'leases.journal'))
    const [first, expires] = [ipv4FromText(RANGE[0]), Date.now() + 3_600_000]
    const held = Array.from({ length: count }, (_, index) => {
      const mac = macFromBytes(Uint8Array.of(2, 0, 0, index >> 16, (index >> 8) & 255, index & 255))
      return { address: first + index, mac, state: 'bound' as const, expires }
    })
    await journal.write(held)
    await journal.close()
    const argv = [process.execPath, join(import.meta.dirname, 'server.ts'), own, SERVER]
    const server = await network.serve(argv, { port: 67, protocol: 'udp' })
    try {
      await exchange(network, FLAT_RATE, WARM_SECONDS)
      const before = server.cpuSeconds()
      const { acknowledged } = await exchange(network, FLAT_RATE, STEP_SECONDS)
      found.push(((server.cpuSeconds() - before) / Math.max(acknowledged, 1)) * 1e6)
    } finally {
      await server.stop()
    }
  }
  return found
}

function numbers(text: string, pattern: RegExp): number[] {
  return [...text.matchAll(pattern)].map(([, number]) => Number(number))
}

function kea(dir: string): unknown {
  return {
    Dhcp4: {
      'interfaces-config': { interfaces: ['eth0'], 'dhcp-socket-type': 'udp' },
      'lease-database': { type: 'memfile', persist: true, name: `${dir}/kea-leases4.csv`, 'lfc-interval': 0 },
      'multi-threading': { 'enable-multi-threading': false },
      'valid-lifetime': 3_600,
      subnet4: [{ subnet: '10.77.0.0/16', pools: [{ pool: `${RANGE[0]} - ${RANGE[1]}` }] }],
      loggers: [{ name: 'kea-dhcp4', severity: 'ERROR', output_options: [{ output: 'stderr' }] }],
    },
  }
}
