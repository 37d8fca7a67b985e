import { mkdirSync, rmSync } from 'node:fs'
import { loadavg } from 'node:os'
import { join, resolve } from 'node:path'
import { benchDhcp, benchDhcpLeases } from './boot/dhcp.ts'
import { benchHttp } from './boot/http.ts'
import { benchHttpFilling } from './boot/http-filling.ts'
import { benchNetwork } from './boot/network.ts'
import { installPeers } from './boot/peers.ts'
import { benchRack } from './boot/rack.ts'
import { benchTftp } from './boot/tftp.ts'
import { benchTftpLoss } from './boot/tftp-loss.ts'

const CACHE = resolve(import.meta.dirname, '../../.cache/bench')

export const parts = ['dhcp', 'leases', 'tftp', 'loss', 'rack', 'http', 'filling'] as const

/** The boot services beside their peers, one run, one cable between two namespaces; all parts, or those that are named. */
export async function bench(): Promise<void> {
  const chosen = process.argv.slice(3)
  const unknown = chosen.find((name) => !(parts as readonly string[]).includes(name))
  if (unknown !== undefined) throw new Error(`boot has no part ${unknown}: there are ${parts.join(', ')}`)
  const wants = (name: (typeof parts)[number]): boolean => chosen.length === 0 || chosen.includes(name)
  const dir = join(CACHE, `run-${process.pid}`)
  mkdirSync(dir, { recursive: true })
  const peers = installPeers(CACHE)
  const network = benchNetwork()
  const cut = (): never => {
    network.stop()
    rmSync(dir, { recursive: true, force: true })
    process.exit(130)
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, cut)
  try {
    say(`load before: ${loadavg()[0]?.toFixed(1)}; medians of 3 rounds, servers in turn`)
    if (wants('dhcp')) {
      const results = await benchDhcp(network, dir)
      const ours = results[0]?.perSecond ?? Number.NaN
      for (const { name, perSecond, cpuMicroseconds } of results)
        say(
          `DHCP ${name.padEnd(24)} ${perSecond} exchanges/s, ${cpuMicroseconds.toFixed(0)} µs CPU each; ours ${(ours / perSecond).toFixed(2)}×`,
        )
    }
    if (wants('leases')) {
      const [few = 0, many = 0] = await benchDhcpLeases(network, dir, [100, 50_000])
      say(
        `DHCP bloomery with 100 leases ${few.toFixed(0)} µs CPU each, with 50,000 ${many.toFixed(0)} (${(many / few).toFixed(2)}×)`,
      )
    }
    if (wants('tftp'))
      for (const { clients, windowsize, megabytesPerSecond, cpuSecondsPerGib } of await benchTftp(network, dir, peers))
        say(
          `TFTP ${clients} client(s), windowsize ${windowsize}: ${beside(megabytesPerSecond, 'MB/s')}; CPU ${beside(cpuSecondsPerGib, 's/GiB', 2)}`,
        )
    if (wants('loss'))
      for (const { what, windowsize, megabytesPerSecond, sentToNeeded } of await benchTftpLoss(network, dir, peers))
        say(
          `TFTP ${what}, windowsize ${windowsize}: ${beside(megabytesPerSecond, 'MB/s', 2)}; DATA to needed ${beside(sentToNeeded, '', 3)}`,
        )
    if (wants('rack')) {
      const rack = await benchRack(network, dir)
      say(
        `Rack: ${rack.reached} of ${rack.machines} reached the ramdisk in ${rack.seconds.toFixed(1)} s; ${rack.answers} DHCP answers, p50 ${rack.p50.toFixed(1)} ms, p99 ${rack.p99.toFixed(1)}, longest ${rack.longest.toFixed(0)}; ${rack.sentAgain} asked again${rack.failed.map((why) => `\n  ${why}`).join('')}`,
      )
    }
    if (wants('http'))
      for (const { clients, megabytesPerSecond, cpuSecondsPerGib } of await benchHttp(network, dir))
        say(
          `HTTP ${clients} client(s): ${beside(megabytesPerSecond, 'MB/s')}; CPU ${beside(cpuSecondsPerGib, 's/GiB', 2)}`,
        )
    if (wants('filling'))
      for (const { cable, quiet, filling, pulled, cpu } of await benchHttpFilling(network, dir))
        say(
          `HTTP 8 clients, a cable ${cable}: ${quiet.toFixed(0)} MB/s; while the cache fills ${filling.toFixed(0)} (${(filling / quiet).toFixed(2)}×), and it at ${pulled.toFixed(1)}; ` +
            `the appliance's CPU ${cpu.map((seconds) => seconds.toFixed(2)).join(' and ')} s/GiB`,
        )
    say(`load after: ${loadavg()[0]?.toFixed(1)}`)
  } finally {
    network.stop()
    rmSync(dir, { recursive: true, force: true })
  }
}

/** Ours first, each other with our ratio to it. */
function beside(values: Record<string, number>, unit: string, digits = 0): string {
  const ours = values['bloomery'] ?? Number.NaN
  return Object.entries(values)
    .map(([name, value]) => {
      const ratio = name === 'bloomery' ? '' : ` (ours ${(ours / value).toFixed(2)}×)`
      return `${name} ${value.toFixed(digits)} ${unit}${ratio}`
    })
    .join(', ')
}

function say(line: string): void {
  console.log(line)
}
