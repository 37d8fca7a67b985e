import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openMetrics } from '../metrics.ts'
import { bootUse } from './boot-use.ts'
import { bootConfig6 } from './config6.ts'
import { decide, type BootPolicy, type BootRequest } from './decide.ts'
import { bootFile } from './dhcp.ts'
import { answerFor as answerFor6 } from './dhcp6.ts'
import { startDiscovery } from './discovery.ts'
import type { BootFiles } from './files.ts'
import { bootApp, startBootHttp } from './http.ts'
import { firmware, type Loader, loaderNames, loaders, startsGrub } from './loaders.ts'
import type { BootDirectory, BootMachine } from './machine.ts'
import { tftpSource } from './tftp-source.ts'
import { bootUrls } from './urls.ts'

const MAC = '52:54:00:12:34:56'
const ADDRESS = '10.1.0.7'
let dir: string
let files: BootFiles
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'served-'))
  const [kernel, initrd] = [join(dir, 'kernel'), join(dir, 'initrd')]
  for (const path of [kernel, initrd, join(dir, 'iso')]) writeFileSync(path, 'bytes')
  const bytes = loaders.map((loader) => [loader, Buffer.from(loader)] as const)
  files = {
    loaders: new Map(bytes),
    ramdisks: { x86_64: { kernel, initrd }, aarch64: { kernel, initrd } },
    refused: [],
  } as never
})
afterAll(() => rmSync(dir, { recursive: true }))

/** All that answers a machine after DHCP, without sockets. */
function site(
  machine: BootMachine | undefined,
  unknownMachines: BootPolicy['unknownMachines'],
  has: ReadonlySet<Loader>,
) {
  const directory: BootDirectory = {
    byMac: (mac) => (mac === MAC ? machine : undefined),
    byBootToken: (token) => (token === 'token' && machine !== undefined ? { machine, mac: MAC } : undefined),
    bySpentToken: () => undefined,
    bootToken: () => 'token',
  }
  const nothing = (): void => {}
  const log = { debug: nothing, info: nothing, warn: nothing, error: nothing }
  const discovery = startDiscovery({ cmdline: '', secret: Buffer.alloc(32), directory })
  const served = { ...files, loaders: new Map([...files.loaders].filter(([loader]) => has.has(loader))) }
  const leases = { byAddress: () => ({ address: 0, mac: MAC, state: 'bound' as const, expires: 0 }) }
  const parts = {
    files: served,
    imageDir: dir,
    directory,
    discovery,
    leases,
    notices: { tell: nothing },
    log,
    metrics: openMetrics(),
  }
  const policy = { unknownMachines, hasLoader: (loader: Loader) => has.has(loader), hasRamdisk: () => true }
  const app = bootApp({ ...parts, events: { seen: nothing } })
  return { directory, discovery, policy, app, source: tftpSource({ ...parts, boots: bootUse(parts) }) }
}
type Site = ReturnType<typeof site>

const env = { incoming: { socket: { remoteAddress: ADDRESS } }, outgoing: { headersSent: false } }

async function byHttp({ app }: Site, url: string, fetched: Set<string>): Promise<void> {
  const { pathname } = new URL(url)
  const isScript = pathname.endsWith('.ipxe')
  const reply = await app.request(pathname, { method: isScript ? 'GET' : 'HEAD' }, env)
  expect([pathname, reply.status]).toEqual([pathname, 200])
  fetched.add(pathname.split('/').at(-1) ?? '')
  const script = isScript ? await reply.text() : ''
  for (const [, name = ''] of script.matchAll(/^(?:(?:kernel|initrd) --name \w+|sanboot) (\S+)/gm))
    await byHttp({ app } as Site, new URL(name, url).href, fetched)
}

async function byTftp({ source }: Site, name: string, fetched: Set<string>): Promise<void> {
  const served = await source(name, MAC, ADDRESS)
  expect([name, served !== undefined]).toEqual([name, true])
  fetched.add(name.split('/').at(-1) ?? '')
  const content = served?.kind === 'script' ? Buffer.from(await served.file.read(0, served.file.size)).toString() : ''
  await served?.file.close?.()
  for (const [, next = ''] of content.matchAll(/(?:linux|kernel|initrd) (\/?boot\S+?)[\s;]/g))
    await byTftp({ source } as Site, next, fetched)
}

async function follow(at: Site, named: string, fetched: Set<string>): Promise<void> {
  if (/^https?:/.test(named)) return byHttp(at, named, fetched)
  const name = named.replace(/^tftp:\/\/[^/]+\//, '')
  await byTftp(at, name, fetched)
  const loader = loaders.find((loader) => loaderNames[loader] === name)
  if (loader === undefined || !startsGrub(loader)) return
  const pair = Object.values(firmware).find((kind) => kind?.signed?.shim === loader)?.signed
  if (pair !== undefined) await byTftp(at, loaderNames[pair.grub], fetched) // what shim asks for, of its own accord
  await byTftp(at, '/grub/grub.cfg', fetched)
}

const machines: [BootMachine | undefined, BootPolicy['unknownMachines']][] = [
  [undefined, 'ignore'],
  [undefined, 'discover'],
  [undefined, 'local'],
]
const instances = [
  { kernel: 'kernel', initrd: 'initrd', cmdline: 'q' },
  { iso: 'iso', cmdline: '' },
]
for (const arch of ['x86_64', 'aarch64'] as const)
  for (const secureBoot of [false, true])
    for (const instance of instances)
      machines.push([
        { node: 'n1', generation: 1, macs: [MAC], arch, mode: 'instance', secureBoot, instance },
        'ignore',
      ])
for (const mode of ['ramdisk', 'disk', 'off'] as const)
  for (const arch of ['x86_64', 'aarch64'] as const)
    for (const secureBoot of [false, true])
      machines.push([
        { node: 'n1', generation: 1, macs: [MAC], arch, mode, secureBoot, ramdisk: { cmdline: 'q' } },
        'ignore',
      ])

const requests: BootRequest[] = [...Object.keys(firmware).map(Number), 6, 22, undefined].flatMap((architecture) =>
  ['PXEClient:Arch', 'HTTPClient:Arch', 'U-Boot.armv8', ''].flatMap((vendorClass) =>
    [false, true].map((ipxe) => ({ architecture, vendorClass, ipxe })),
  ),
)

const debian: Loader[] = loaders.filter((loader) => loader !== 'uefiArm64')
test.each([
  ['every loader', loaders],
  ["Debian's loaders, which have no iPXE for arm64", debian],
])(
  'advertised is served, at a site with %s: every machine, every state, every firmware and stage, IPv4 and IPv6',
  async (_, has) => {
    const fetched = new Set<string>()
    const kinds = new Set<string>()
    for (const [machine, unknown] of machines) {
      const at = site(machine, unknown, new Set(has))
      for (const request of requests) {
        const answer = decide(machine, request, at.policy)
        kinds.add(answer.kind)
        expect(answer.because).not.toBe('')
        if (machine?.mode === 'off') expect(answer.kind).toBe('silent')
        if (answer.kind === 'configuration') await byTftp(at, `pxelinux.cfg/01-${MAC.replaceAll(':', '-')}`, fetched)
        const named = bootFile({ ...at, urls: bootUrls('http://10.1.0.1:8080') }, machine, MAC, answer)
        if (named) await follow(at, named, fetched)

        const config = bootConfig6.parse({ address: 'fd00::1', links: [{ prefix: 'fd00::/64' }] })
        const { architecture, vendorClass, ipxe } = request
        const message = { type: 'solicit', transaction: 1, rapidCommit: false, mac: MAC } as const
        const asked = {
          ...message,
          associations: [],
          relays: [],
          architecture,
          vendorClass,
          userClasses: ipxe ? ['iPXE'] : [],
        }
        const answer6 = answerFor6({ ...at, config, urls: bootUrls('http://[fd00::1]:8080') }, asked)
        if (answer6.serve && answer6.bootUrl) await follow(at, answer6.bootUrl, fetched)
      }
    }
    expect([...kinds].sort()).toEqual(['address', 'configuration', 'loader', 'script', 'silent'])
    const others = ['kernel', 'initrd', 'instance.iso', 'script.ipxe', 'local.ipxe', 'grub.cfg', '01-52-54-00-12-34-56']
    expect([...fetched].sort()).toEqual([...has.map((loader) => loaderNames[loader]), ...others].sort())
  },
)

test.each([
  '/../../../../etc/passwd',
  '/loader/../../../etc/passwd',
  '/loader/..%2f..%2f..%2fetc%2fpasswd',
  '/loader/%2e%2e/%2e%2e/etc/passwd',
  String.raw`/loader/..\..\etc\passwd`,
  '/boot/token/..%2f..%2fetc%2fpasswd',
  '/boot/token/kernel/../../../etc/passwd',
  '/boot/..%2ftoken/kernel',
  '/boot/token/kernel%00',
  '/boot/token/kernel.old',
  '/boot/token/an-initrd',
  '//etc/passwd',
])('path traversal by HTTP: %s is no file, and nothing is read for it', async (path) => {
  const machine: BootMachine = { node: 'n1', generation: 1, macs: [MAC], arch: 'x86_64', mode: 'ramdisk' }
  const http = await startBootHttp({ port: 0, host: '127.0.0.1' }, site(machine, 'ignore', new Set(loaders)).app)
  const { status, body } = await new Promise<{ status?: number; body: string }>((resolve, reject) => {
    const request = httpRequest({ host: '127.0.0.1', port: http.port, path, agent: false }, (reply) => {
      text(reply).then((body) => resolve({ status: reply.statusCode, body }), reject)
    })
    request.on('error', reject).end()
  })
  await http.stop()
  expect([400, 403, 404]).toContain(status)
  expect(body).not.toMatch(/root:|bytes/)
})

test('starvation: of one address 256 connections are held, whoever asks from another is served, and so is the first when it lets go', async () => {
  const http = await startBootHttp({ port: 0, host: '127.0.0.1' }, site(undefined, 'ignore', new Set(loaders)).app)
  const from = (localAddress: string) => connect({ host: '127.0.0.1', port: http.port, localAddress })
  const held = Array.from({ length: 256 }, () => from('127.0.0.2'))
  await Promise.all(held.map((socket) => once(socket, 'connect')))
  const status = (localAddress: string): Promise<number | undefined> =>
    new Promise((resolve) => {
      const asked = { host: '127.0.0.1', port: http.port, path: '/local.ipxe', localAddress, agent: false }
      const request = httpRequest(asked, (reply) => {
        reply.resume().on('end', () => resolve(reply.statusCode))
      })
      request.on('error', () => resolve(undefined)).end()
    })
  expect([await status('127.0.0.2'), await status('127.0.0.3')]).toEqual([undefined, 200])
  for (const socket of held.splice(0, 8)) socket.destroy()
  await expect.poll(() => status('127.0.0.2')).toBe(200)
  for (const socket of held) socket.destroy()
  await http.stop()
})
