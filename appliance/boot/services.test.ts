import { writeFileSync } from 'node:fs'
import { get } from 'node:https'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Option } from '@bloomery/dhcp/codes.ts'
import { fetchFile } from '@bloomery/tftp/client.ts'
import { selfSigned } from '../certificates.ts'
import { firmware, loaderNames } from './loaders.ts'
import { KERNEL, MAC, openBootSite, type BootSite } from './testing/boot-site.ts'

let site: BootSite
beforeEach(() => {
  site = openBootSite()
})
afterEach(() => site.close())

test('everything that an answer names is served: every firmware, every stage, every mode', async () => {
  await site.start({ unknownMachines: 'discover' })
  const content: Record<string, string> = { bios: 'bios bytes', uefiX64: 'x64 bytes', uefiArm64: 'arm64 bytes' }
  for (const mode of ['ramdisk', 'disk', 'unknown'] as const)
    for (const [architecture, { arch, loader }] of Object.entries(firmware).map(
      ([at, of]) => [Number(at), of!] as const,
    )) {
      if (mode === 'unknown') site.machines.clear()
      else site.due(mode, { arch })
      const first = await site.boot(architecture)
      expect(Buffer.from(await site.fetchNamed(first)).toString()).toBe(content[loader])
      const second = await site.boot(architecture, 'ipxe')
      const script = Buffer.from(await site.fetchNamed(second)).toString()
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

test('a boot is told step by step, and logged with its node', async () => {
  await site.start()
  site.due('ramdisk')
  await site.fetchNamed(await site.boot(0))
  await expect.poll(() => site.timeline.of(MAC).at(-1)?.kind).toBe('tftp') // its last ACK may come after what follows
  const { bootFile } = await site.boot(0, 'ipxe')
  await fetch(bootFile)
  const answer = await fetch(new URL('kernel', bootFile))
  expect(KERNEL.equals(Buffer.from(await answer.arrayBuffer()))).toBe(true)
  await (await fetch(new URL('initrd', bootFile))).arrayBuffer()
  await expect.poll(() => site.timeline.of(MAC).at(-1)?.kind).toBe('initrd')
  const kinds = site.timeline.of(MAC).map(({ kind }) => kind)
  const handshake = ['dhcp discover', 'dhcp offer', 'dhcp request', 'dhcp ack']
  expect(kinds).toEqual([...handshake, 'tftp', ...handshake, 'script', 'kernel', 'initrd'])
  expect(site.timeline.of(MAC).at(-2)?.detail).toEqual({ bytes: 700_000, size: 700_000 })
  expect(site.logged.find(({ facts }) => facts['reply'] === 'ack')?.facts).toMatchObject({ node: 'n1', mac: MAC })
})

test('UEFI HTTP boot is told that the answer is for it', async () => {
  await site.start()
  site.due('ramdisk')
  const lease = await site.boot(16)
  expect(Buffer.from(lease.options.get(Option.vendorClass) ?? []).toString()).toBe('HTTPClient')
  expect(lease.bootFile).toBe(`${site.services.httpUrl}/loader/${loaderNames.uefiX64}`)
  const head = await fetch(lease.bootFile, { method: 'HEAD' })
  expect(head.headers.get('content-length')).toBe('9')
})

test('kernels are served in ranges and by HEAD, and a HEAD is not taken for a fetch', async () => {
  await site.start()
  site.due('ramdisk')
  const url = new URL('kernel', (await site.boot(0, 'ipxe')).bootFile)
  const head = await fetch(url, { method: 'HEAD' })
  expect([head.status, head.headers.get('content-length')]).toEqual([200, '700000'])
  expect(site.timeline.of(MAC).some(({ kind }) => kind === 'kernel')).toBe(false)
  const part = await fetch(url, { headers: { range: 'bytes=600000-' } })
  expect([part.status, part.headers.get('content-range')]).toEqual([206, 'bytes 600000-699999/700000'])
  expect(KERNEL.subarray(600_000).equals(Buffer.from(await part.arrayBuffer()))).toBe(true)
  expect((await fetch(url, { headers: { range: 'bytes=700000-' } })).status).toBe(416)
})

test.each(['../initrd', '/etc/passwd', 'kernel', 'bios'])('TFTP serves loaders only: not %j', async (file) => {
  await site.start()
  await expect(fetchFile({ host: '127.0.0.1', port: site.services.ports.tftp, file })).rejects.toThrow('file not found')
})

test('a site whose files are not there does not start, and says which and where it comes from', async () => {
  const missing = join(site.files, 'missing')
  await expect(site.start({ files: { x86_64: { kernel: missing, initrd: missing } } })).rejects.toThrow(
    `cannot serve boot files.x86_64.kernel: ${missing} is not readable`,
  )
  await expect(site.start({ files: { loaders: { bios: missing } } })).rejects.toThrow("Debian's package ipxe")
  const arm = { kernel: join(site.files, 'kernel'), initrd: join(site.files, 'initrd') }
  await expect(site.start({ files: { aarch64: arm } })).rejects.toThrow('set files.loaders.grubArm64')
})

test('with a certificate UEFI HTTP boot is told an https URL, and the loader is served there; a certificate that is not there is named', async () => {
  const { certificate, privateKey } = await selfSigned('127.0.0.1', new Date())
  const [cert, key] = [join(site.files, 'site.pem'), join(site.files, 'site.key')]
  writeFileSync(cert, certificate)
  writeFileSync(key, privateKey)
  const config = await site.start({ https: { port: 0, certificate: cert, key } })
  site.due('ramdisk')
  const { bootFile } = await site.boot(16)
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
  const https = { ...config.https, certificate: join(site.files, 'gone.pem') }
  await expect(site.start({ https })).rejects.toThrow(`boot https.certificate, ${https.certificate}, is not readable`)
})
