import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { type CapturedDatagram, udpDatagrams } from '@bloomery/dhcp/capture.ts'
import { decideLease } from '@bloomery/dhcp/lease-machine.ts'
import { LeaseTable } from '@bloomery/dhcp/lease-table.ts'
import { decodePacket, encodePacket } from '@bloomery/dhcp/packet.ts'
import { decideProxy } from '@bloomery/dhcp/proxy.ts'
import { readRequest } from '@bloomery/dhcp/request.ts'
import { capturedRequests } from '@bloomery/dhcp6/capture.ts'
import { decide as dhcp6Decide } from '@bloomery/dhcp6/decide.ts'
import * as dhcp6Packet from '@bloomery/dhcp6/packet.ts'
import * as dhcp6 from '@bloomery/dhcp6/request.ts'
import { negotiate } from '@bloomery/tftp/negotiate.ts'
import * as tftp from '@bloomery/tftp/packet.ts'
import { openMetrics } from '../metrics.ts'
import { bootUse } from './boot-use.ts'
import { bootConfig } from './config.ts'
import { bootConfig6 } from './config6.ts'
import { answerFor } from './dhcp.ts'
import { answerFor as answerFor6 } from './dhcp6.ts'
import { noDiscovery } from './discovery.ts'
import type { BootDirectory, BootMachine } from './machine.ts'
import { openReservations } from './reservations.ts'
import { openTimeline } from './timeline.ts'
import { tftpSource } from './tftp-source.ts'
import { bootUrls } from './urls.ts'

/** What real firmware sent, answered byte for byte as when this was last looked at: a change of any answer is seen in review. */

const folder = new URL('../../protocols/dhcp/captures/', import.meta.url)
const captures = readdirSync(folder).map((name) => name.replace(/\.pcap$/, ''))
const now = (): Date => new Date('2026-11-22T12:00:00Z')
const SERVER = '10.80.0.1'
const PROXY = '10.80.0.3'
const silence = (): void => {}

function site(capture: string) {
  const proxied = capture.endsWith('proxydhcp')
  const subnet = proxied
    ? { cidr: '10.80.0.0/24', interfaceAddress: PROXY, mode: 'proxy' }
    : { cidr: '10.80.0.0/24', interfaceAddress: SERVER, range: ['10.80.0.100', '10.80.0.199'] }
  const config = bootConfig.parse({ subnets: [subnet], nextServer: subnet.interfaceAddress, files: {} })
  const machine = (mac: string): BootMachine => ({
    node: 'n1',
    generation: 1,
    macs: [mac],
    arch: capture.startsWith('aavmf') ? 'aarch64' : 'x86_64',
    mode: 'ramdisk',
    secureBoot: capture.includes('shim'),
    ramdisk: { cmdline: 'quiet' },
  })
  const directory: BootDirectory = {
    byMac: machine,
    bySpentToken: () => undefined,
    bootToken: () => 'token',
    byBootToken: (token) => (token === 'token' ? { machine: machine('52:54:00:00:00:01'), mac: '' } : undefined),
  }
  const leases = new LeaseTable(config.subnets)
  const log = { debug: silence, info: silence, warn: silence, error: silence }
  const urls = bootUrls(`http://${config.nextServer}:8080`)
  const policy = { unknownMachines: 'ignore', hasLoader: () => true, hasRamdisk: () => true } as const
  const reservations = openReservations(config)
  const events = openTimeline(now)
  const notices = { tell: silence }
  const rest = {
    notices,
    discovery: noDiscovery,
    policy,
    urls,
    leases,
    events,
    log,
    metrics: openMetrics(),
    clock: { now },
  }
  return { config, directory, leases, parts: { config, directory, reservations, ...rest } }
}

function answered(capture: string): string[] {
  const { config, directory, leases, parts } = site(capture)
  const [subnet] = config.subnets
  if (subnet === undefined) throw new Error('no subnet')
  return udpDatagrams(readFileSync(new URL(`${capture}.pcap`, folder))).flatMap((datagram) => {
    if (![67, 4011].includes(datagram.destinationPort)) return []
    const packet = decodePacket(datagram.payload)
    if (packet.op !== 1) return []
    const request = readRequest(packet)
    const situation = {
      request,
      subnet,
      servers: new Set([subnet.serverAddress]),
      answer: answerFor(parts, directory.byMac(request.mac), request),
    }
    const decision = subnet.proxy
      ? decideProxy({ ...situation, heardOn: datagram.destinationPort === 67 ? 'dhcp' : 'pxe' })
      : decideLease({ ...situation, leases, reservedFor: () => undefined, now: now().getTime() })
    if (decision === undefined) return []
    for (const change of decision.changes) leases.stage(change)
    const { reply, facts } = decision
    const bytes = reply === undefined ? '' : Buffer.from(encodePacket(reply.packet, reply.limit)).toString('hex')
    return [
      `${facts.request} → ${facts.reply}: ${facts.because}${facts.file === undefined ? '' : `, ${facts.file}`}`,
      bytes,
    ]
  })
}

/** IPv6, where a capture has it. */
function answered6(capture: string): string[] {
  const { directory, parts } = site(capture)
  const config = bootConfig6.parse({ address: 'fd00:80::1', links: [{ prefix: 'fd00:80::/64' }] })
  const [link] = config.links
  if (link === undefined) throw new Error('no link')
  const urls = bootUrls('http://[fd00:80::1]:8080')
  const serverId = Buffer.from('0004000102030405060708090a0b0c0d0e0f', 'hex')
  return capturedRequests(readFileSync(new URL(`${capture}.pcap`, folder))).flatMap(({ source, payload }) => {
    const request = dhcp6.readRequest(payload, source)
    const answer = answerFor6({ ...parts, config, directory, urls }, request)
    const { reply, facts } = dhcp6Decide({ request, serverId, link, answer, declined: 0 })
    const bytes = reply === undefined ? '' : Buffer.from(dhcp6Packet.encodePacket(reply)).toString('hex')
    return [`${facts.request} → ${facts.reply}: ${facts.because}, ${facts.url ?? 'no file'}`, bytes]
  })
}

/** Sizes are those of files of 1 MB, so that the answers don't change with Debian's. */
async function readRequests(capture: string): Promise<string[]> {
  const file = new Uint8Array(1_000_000)
  const loaders = new Map([
    ['bios', file],
    ['uefiX64', file],
    ['shimX64', file],
    ['grubX64', file],
  ] as const)
  const { directory, parts } = site(capture)
  const files = { loaders, ramdisks: { loaders: {} }, refused: [] }
  const source = tftpSource({ files, directory, discovery: noDiscovery, boots: bootUse({ ...parts, directory }) })
  const lines: string[] = []
  for (const { payload } of udpDatagrams(readFileSync(new URL(`${capture}.pcap`, folder))).filter(isReadRequest)) {
    const asked = tftp.decodePacket(payload)
    if (asked.op !== 'rrq') throw new Error(`${asked.op} to port 69`)
    const served = await source(asked.file, '52:54:00:00:00:01')
    const size = served?.file.size
    const reply: tftp.TftpPacket =
      size === undefined
        ? { op: 'error', code: tftp.TftpError.notFound, message: 'file not found' }
        : { op: 'oack', options: negotiate(asked.options, size).agreed }
    lines.push(`read ${asked.file} → ${reply.op}`, Buffer.from(tftp.encodePacket(reply)).toString('hex'))
  }
  return lines
}

function isReadRequest({ destinationPort }: CapturedDatagram): boolean {
  return destinationPort === 69
}

test.each(captures)('%s is answered byte for byte as before', async (capture) => {
  const lines = [...answered(capture), ...answered6(capture), ...(await readRequests(capture))]
  expect(lines.filter((line) => / → (offer|ack)/.test(line)).length).toBeGreaterThan(0)
  await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot(`answers/${capture}.txt`)
})
