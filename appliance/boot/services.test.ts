import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { get } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { acquireLease, openClientChannel, type ClientChannel } from '@bloomery/dhcp/client.ts'
import type { AcquiredLease } from '@bloomery/dhcp/client-machine.ts'
import { Option } from '@bloomery/dhcp/codes.ts'
import { LeaseTable } from '@bloomery/dhcp/lease-table.ts'
import { fetchFile } from '@bloomery/tftp/client.ts'
import { ipv4FromText, ipv4ToText } from '@bloomery/wire/address.ts'
import { selfSigned } from '../certificates.ts'
import { openMetrics } from '../metrics.ts'
import { bootConfig, type BootConfig } from './config.ts'
import { firmware, loaderNames } from './loaders.ts'
import type { BootDirectory, BootMachine } from './machine.ts'
import { startBootServices, type BootServices } from './services.ts'
import { openTimeline, type Timeline } from './timeline.ts'

const MAC = '52:54:00:12:34:56'
const kernel = Buffer.from(Uint8Array.from({ length: 700_000 }, (_, index) => (index * 13 + (index >> 8)) & 0xff))
let files: string
let machines: Map<string, BootMachine>
let logged: { facts: Record<string, unknown>; message: string }[]
let timeline: Timeline
let noticed: string[]
let services: BootServices
let channel: ClientChannel
const closing: (() => Promise<void>)[] = []

beforeEach(() => {
  files = mkdtempSync(join(tmpdir(), 'boot-'))
  for (const name of ['bios', 'x64', 'arm64', 'initrd']) writeFileSync(join(files, name), `${name} bytes`)
  writeFileSync(join(files, 'kernel'), kernel)
  machines = new Map()
  logged = []
  noticed = []
  timeline = openTimeline(() => new Date())
})
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
  rmSync(files, { recursive: true })
})

/** Tokens name what they stand for: they are the ledger's to make secret. */
const directory: BootDirectory = {
  byMac: (mac) => machines.get(mac),
  byBootToken(token) {
    const [, hex = '', generation] = token.split('_')
    const mac = hex.match(/../g)?.join(':') ?? ''
    const machine = machines.get(mac)
    return machine?.generation === Number(generation) ? { machine, mac } : undefined
  },
  bySpentToken: (token) => (token.startsWith('t_') ? { node: 'n1', mac: MAC } : undefined),
  bootToken: (machine, mac) => `t_${mac.replaceAll(':', '')}_${machine.generation}`,
}

async function start(change: Record<string, unknown> = {}): Promise<BootConfig> {
  const server = { address: '127.0.0.1', port: 0 }
  const opened = await openClientChannel({ host: '127.0.0.1', port: 0, server })
  channel = opened
  closing.push(() => opened.close())
  const path = (name: string): string => join(files, name)
  const ramdisk = { kernel: path('kernel'), initrd: path('initrd') }
  const config = bootConfig.parse({
    subnets: [{ cidr: '127.0.0.0/8', interfaceAddress: '127.0.0.1', range: ['127.9.0.0', '127.9.255.255'] }],
    nextServer: '127.0.0.1',
    dhcp: { host: '127.0.0.1', port: 0, relayPort: channel.port, probe: false },
    tftp: { host: '127.0.0.1', port: 0 },
    http: { host: '127.0.0.1', port: 0 },
    files: {
      x86_64: ramdisk,
      aarch64: ramdisk,
      loaders: { bios: path('bios'), uefiX64: path('x64'), uefiArm64: path('arm64') },
    },
    ...change,
  })
  const write = (facts: Record<string, unknown>, message: string): void => {
    logged.push({ facts, message })
  }
  services = await startBootServices({
    config,
    directory,
    events: timeline,
    notices: { tell: (_, { text }) => void noticed.push(text) },
    leases: new LeaseTable(config.subnets),
    metrics: openMetrics(),
    log: { debug: write, info: write, warn: write, error: write },
    clock: { now: () => new Date() },
  })
  closing.push(() => services.stop())
  server.port = services.ports.dhcp
  return config
}

let xid = 0
function boot(architecture?: number, stage: 'firmware' | 'ipxe' = 'firmware'): Promise<AcquiredLease> {
  const options = new Map<number, Uint8Array>()
  if (architecture !== undefined) {
    const http = firmware[architecture]?.over === 'http' && stage === 'firmware'
    options.set(Option.vendorClass, Buffer.from(http ? 'HTTPClient:Arch:00016' : 'PXEClient:Arch:00000'))
    options.set(Option.clientArchitecture, Uint8Array.of(architecture >> 8, architecture & 0xff))
  }
  if (stage === 'ipxe') options.set(Option.userClass, Buffer.from('iPXE'))
  const timing = { xid: () => (xid += 1), now: Date.now, retry: [150, 150] }
  return acquireLease(channel, { mac: MAC, relay: ipv4FromText('127.0.0.1'), options }, timing)
}

function due(mode: BootMachine['mode'], more: Partial<BootMachine> = {}): void {
  machines.set(MAC, {
    node: 'n1',
    generation: 1,
    macs: [MAC],
    arch: 'x86_64',
    mode,
    ramdisk: { cmdline: 'quiet' },
    ...more,
  })
}

/** As firmware and iPXE do it: what DHCP names is fetched, by the protocol that the name says. */
async function fetchNamed(lease: AcquiredLease): Promise<Uint8Array> {
  if (!lease.bootFile.startsWith('http://')) {
    const address = ipv4ToText(lease.nextServer)
    return fetchFile({
      host: address,
      port: services.ports.tftp,
      file: lease.bootFile,
      localAddress: ipv4ToText(lease.address),
    })
  }
  const answer = await fetch(lease.bootFile)
  expect(answer.status).toBe(200)
  return Buffer.from(await answer.arrayBuffer())
}

test('everything that an answer names is served: every firmware, every stage, every mode', async () => {
  await start({ unknownMachines: 'discover' })
  const content: Record<string, string> = { bios: 'bios bytes', uefiX64: 'x64 bytes', uefiArm64: 'arm64 bytes' }
  for (const mode of ['ramdisk', 'disk', 'unknown'] as const)
    for (const [architecture, { arch, loader }] of Object.entries(firmware).map(
      ([at, of]) => [Number(at), of!] as const,
    )) {
      if (mode === 'unknown') machines.clear()
      else due(mode, { arch })
      const first = await boot(architecture)
      expect(Buffer.from(await fetchNamed(first)).toString()).toBe(content[loader])
      const second = await boot(architecture, 'ipxe')
      const script = Buffer.from(await fetchNamed(second)).toString()
      expect(script.startsWith('#!ipxe\n')).toBe(true)
      if (mode === 'disk') {
        expect(script).toMatch(/^exit 1$/m)
        continue
      }
      for (const [, name = ''] of script.matchAll(/^(?:kernel|initrd) --name \w+ (\S+)/gm)) {
        const answer = await fetch(new URL(name, second.bootFile))
        expect([name, answer.status]).toEqual([name, 200])
        await answer.arrayBuffer()
      }
    }
})

test('everything that GRUB is told is served, to known machines and to unknown ones, over TFTP', async () => {
  const ramdisk = { kernel: join(files, 'kernel'), initrd: join(files, 'initrd') }
  const loaders = { bios: join(files, 'bios'), uefiX64: join(files, 'x64'), grubArm64: join(files, 'arm64') }
  await start({ unknownMachines: 'discover', files: { aarch64: ramdisk, x86_64: ramdisk, loaders } })
  for (const known of [true, false]) {
    if (known) due('ramdisk', { arch: 'aarch64' })
    else machines.clear()
    const lease = await boot(11)
    expect(lease.bootFile).toBe('grubaa64.efi')
    expect(Buffer.from(await fetchNamed(lease)).toString()).toBe('arm64 bytes')
    const script = Buffer.from(await fetchNamed({ ...lease, bootFile: '/grub/grub.cfg' })).toString()
    const named = [...script.matchAll(/(?:linux|initrd) (\/boot\S+?)[\s;]/g)].map(([, name = '']) => name)
    expect(named).toHaveLength(known ? 2 : 4)
    for (const bootFile of named) expect((await fetchNamed({ ...lease, bootFile })).length).toBeGreaterThan(0)
    await expect.poll(() => timeline.of(MAC).at(-1)?.kind).toBe('initrd')
    const way = timeline.marks([MAC], new Date(0)).map(({ seen }) => seen)
    for (const step of ['boot script', 'kernel', 'ramdisk']) expect(way).toContain(`${step} fetched over TFTP`)
  }
})

test('everything that U-Boot is told is served over TFTP, to the card that it is for only', async () => {
  await start()
  due('ramdisk', { arch: 'aarch64' })
  const vendorClass = Buffer.from('U-Boot.armv8')
  const options = new Map([
    [Option.vendorClass, vendorClass] as const,
    [Option.clientArchitecture, Uint8Array.of(0, 22)],
  ])
  const timing = { xid: () => (xid += 1), now: Date.now, retry: [150, 150] }
  const lease = await acquireLease(channel, { mac: MAC, relay: ipv4FromText('127.0.0.1'), options }, timing)
  expect([ipv4ToText(lease.nextServer), lease.bootFile, lease.options.has(Option.bootFileName)]).toEqual([
    '127.0.0.1',
    '',
    false,
  ])
  const bootFile = `pxelinux.cfg/01-${MAC.replaceAll(':', '-')}`
  const text = Buffer.from(await fetchNamed({ ...lease, bootFile })).toString()
  const named = [...text.matchAll(/^ {2}(?:kernel|initrd) (\S+)$/gm)].map(([, name = '']) => name)
  expect(named).toHaveLength(2)
  for (const file of named) expect((await fetchNamed({ ...lease, bootFile: file })).length).toBeGreaterThan(0)
  const other = fetchNamed({ ...lease, bootFile, address: ipv4FromText('127.0.0.77') })
  await expect(other).rejects.toThrow('file not found')
  due('disk', { arch: 'aarch64' })
  await expect(fetchNamed({ ...lease, bootFile })).rejects.toThrow('file not found')
})

test('a boot is told step by step, and logged with its node', async () => {
  await start()
  due('ramdisk')
  await fetchNamed(await boot(0))
  await expect.poll(() => timeline.of(MAC).at(-1)?.kind).toBe('tftp') // its last ACK may come after what follows
  const { bootFile } = await boot(0, 'ipxe')
  await fetch(bootFile)
  const answer = await fetch(new URL('kernel', bootFile))
  expect(kernel.equals(Buffer.from(await answer.arrayBuffer()))).toBe(true)
  await (await fetch(new URL('initrd', bootFile))).arrayBuffer()
  await expect.poll(() => timeline.of(MAC).at(-1)?.kind).toBe('initrd')
  const kinds = timeline.of(MAC).map(({ kind }) => kind)
  const handshake = ['dhcp discover', 'dhcp offer', 'dhcp request', 'dhcp ack']
  expect(kinds).toEqual([...handshake, 'tftp', ...handshake, 'script', 'kernel', 'initrd'])
  expect(timeline.of(MAC).at(-2)?.detail).toEqual({ bytes: 700_000, size: 700_000 })
  expect(logged.find(({ facts }) => facts['reply'] === 'ack')?.facts).toMatchObject({ node: 'n1', mac: MAC })
})

test('an address that the plan fixed is leased, with the host name', async () => {
  await start()
  due('disk', { addresses: { [MAC]: '127.3.3.3' }, hostname: 'web-1' })
  const lease = await boot()
  expect(ipv4ToText(lease.address)).toBe('127.3.3.3')
  expect(Buffer.from(lease.options.get(Option.hostName) ?? []).toString()).toBe('web-1')
  expect(lease.bootFile).toBe('')
})

test('UEFI HTTP boot is told that the answer is for it', async () => {
  await start()
  due('ramdisk')
  const lease = await boot(16)
  expect(Buffer.from(lease.options.get(Option.vendorClass) ?? []).toString()).toBe('HTTPClient')
  expect(lease.bootFile).toBe(`${services.httpUrl}/loader/${loaderNames.uefiX64}`)
  const head = await fetch(lease.bootFile, { method: 'HEAD' })
  expect(head.headers.get('content-length')).toBe('9')
})

test('an unknown machine is not answered where the site ignores those, and the log says so', async () => {
  await start()
  await expect(boot(0)).rejects.toThrow('no answer')
  expect(logged.find(({ facts }) => facts['mac'] === MAC)?.facts).toMatchObject({
    mac: MAC,
    reply: 'none',
    because: 'unknown machine, and this site ignores those',
  })
  expect(timeline.lastSeen([MAC], new Date(0))).toMatch(/^last seen: DHCP discover that was not answered, \d s ago$/)
})

test('when the machine went on, its old token opens nothing, and the log does not show it', async () => {
  await start()
  due('ramdisk')
  const { bootFile } = await boot(0, 'ipxe')
  for (const next of [{ mode: 'disk' as const }, { mode: 'ramdisk' as const, generation: 2 }]) {
    due(next.mode, next)
    for (const name of ['script.ipxe', 'kernel', 'initrd'])
      expect((await fetch(new URL(name, bootFile))).status).toBe(403)
  }
  expect(JSON.stringify(logged)).not.toContain('t_5254')
  expect(noticed[0]).toBe(
    `the script of a boot of ${MAC} that is over was asked for by an unknown card at 127.0.0.1, and refused`,
  )
})

test('a made-up token of an unknown machine opens nothing', async () => {
  await start({ unknownMachines: 'discover' })
  const { bootFile } = await boot(0, 'ipxe')
  expect((await fetch(bootFile)).status).toBe(200)
  expect((await fetch(bootFile.replace('525400123456', '525400123457'))).status).toBe(403)
  due('off')
  expect((await fetch(bootFile)).status).toBe(403)
})

test('kernels are served in ranges and by HEAD, and a HEAD is not taken for a fetch', async () => {
  await start()
  due('ramdisk')
  const url = new URL('kernel', (await boot(0, 'ipxe')).bootFile)
  const head = await fetch(url, { method: 'HEAD' })
  expect([head.status, head.headers.get('content-length')]).toEqual([200, '700000'])
  expect(timeline.of(MAC).some(({ kind }) => kind === 'kernel')).toBe(false)
  const part = await fetch(url, { headers: { range: 'bytes=600000-' } })
  expect([part.status, part.headers.get('content-range')]).toEqual([206, 'bytes 600000-699999/700000'])
  expect(kernel.subarray(600_000).equals(Buffer.from(await part.arrayBuffer()))).toBe(true)
  expect((await fetch(url, { headers: { range: 'bytes=700000-' } })).status).toBe(416)
})

test.each(['../initrd', '/etc/passwd', 'kernel', 'bios'])('TFTP serves loaders only: not %j', async (file) => {
  await start()
  await expect(fetchFile({ host: '127.0.0.1', port: services.ports.tftp, file })).rejects.toThrow('file not found')
})

test('a site whose files are not there does not start, and says which and where it comes from', async () => {
  const missing = join(files, 'missing')
  await expect(start({ files: { x86_64: { kernel: missing, initrd: missing } } })).rejects.toThrow(
    `cannot serve boot files.x86_64.kernel: ${missing} is not readable`,
  )
  await expect(start({ files: { loaders: { bios: missing } } })).rejects.toThrow("Debian's package ipxe")
  const arm = { kernel: join(files, 'kernel'), initrd: join(files, 'initrd') }
  await expect(start({ files: { aarch64: arm } })).rejects.toThrow('set files.loaders.grubArm64')
})

test('beside another DHCP server GRUB is not offered, as it would ask that one for its script', async () => {
  const ramdisk = { kernel: join(files, 'kernel'), initrd: join(files, 'initrd') }
  const loaders = { bios: join(files, 'bios'), uefiX64: join(files, 'x64'), grubArm64: join(files, 'arm64') }
  const subnets = [{ cidr: '127.0.0.0/8', interfaceAddress: '127.0.0.1', mode: 'proxy' }]
  const dhcp = { host: '127.0.0.1', port: 0, pxePort: 0, relayPort: 0 }
  await start({ subnets, dhcp, files: { aarch64: ramdisk, x86_64: ramdisk, loaders } })
  due('ramdisk', { arch: 'aarch64' })
  await expect(boot(11)).rejects.toThrow('no answer')
  expect(JSON.stringify(logged)).toContain('beside another DHCP server it is not offered')
})

test('with a certificate UEFI HTTP boot is told an https URL, and the loader is served there; a certificate that is not there is named', async () => {
  const { certificate, privateKey } = await selfSigned('127.0.0.1', new Date())
  const [cert, key] = [join(files, 'site.pem'), join(files, 'site.key')]
  writeFileSync(cert, certificate)
  writeFileSync(key, privateKey)
  const config = await start({ https: { port: 0, certificate: cert, key } })
  due('ramdisk')
  const { bootFile } = await boot(16)
  expect(bootFile).toMatch(/^https:\/\/127\.0\.0\.1:\d+\/loader\/snponly\.efi$/)
  const body = await new Promise<string>((resolve, reject) => {
    const request = get(bootFile, { ca: certificate, agent: false }, (reply) => {
      let text = ''
      reply.on('data', (chunk: Buffer) => (text += chunk.toString()))
      reply.on('end', () => resolve(text))
    })
    request.on('error', reject)
  })
  expect(body).toBe('x64 bytes')
  const https = { ...config.https, certificate: join(files, 'gone.pem') }
  await expect(start({ https })).rejects.toThrow(`boot https.certificate, ${https.certificate}, is not readable`)
})
