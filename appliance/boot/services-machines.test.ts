import { afterEach, beforeEach, expect, test } from 'vitest'
import { Option } from '@bloomery/dhcp/codes.ts'
import { ipv4ToText } from '@bloomery/wire/address.ts'
import { BRIEFLY, MAC, openBootSite, type BootSite } from './testing/boot-site.ts'

let site: BootSite
beforeEach(() => {
  site = openBootSite()
})
afterEach(() => site.close())

test('an address that the plan fixed is leased, with the host name', async () => {
  await site.start()
  site.due('disk', { addresses: { [MAC]: '127.3.3.3' }, hostname: 'web-1' })
  const lease = await site.boot()
  expect(ipv4ToText(lease.address)).toBe('127.3.3.3')
  expect(Buffer.from(lease.options.get(Option.hostName) ?? []).toString()).toBe('web-1')
  expect(lease.bootFile).toBe('')
})

test('an unknown machine is not answered where the site ignores those, and the log says so', async () => {
  await site.start()
  await expect(site.boot(0, 'firmware', BRIEFLY)).rejects.toThrow('no answer')
  await expect
    .poll(() => site.logged.find(({ facts }) => facts['mac'] === MAC)?.facts)
    .toMatchObject({ mac: MAC, reply: 'none', because: 'unknown machine, and this site ignores those' })
  await expect
    .poll(() => site.timeline.lastSeen([MAC], new Date(0)))
    .toMatch(/^last seen: DHCP discover that was not answered, \d+ s ago$/)
})

test('when the machine went on, its old token opens nothing, and the log does not show it', async () => {
  await site.start()
  site.due('ramdisk')
  const { bootFile } = await site.boot(0, 'ipxe')
  for (const next of [{ mode: 'disk' as const }, { mode: 'ramdisk' as const, generation: 2 }]) {
    site.due(next.mode, next)
    for (const name of ['script.ipxe', 'kernel', 'initrd'])
      expect((await fetch(new URL(name, bootFile))).status).toBe(403)
  }
  expect(JSON.stringify(site.logged)).not.toContain('t_5254')
  expect(site.noticed[0]).toBe(
    `the script of a boot of ${MAC} that is over was asked for by an unknown card at 127.0.0.1, and refused`,
  )
})

test('a made-up token of an unknown machine opens nothing', async () => {
  await site.start({ unknownMachines: 'discover' })
  const { bootFile } = await site.boot(0, 'ipxe')
  expect((await fetch(bootFile)).status).toBe(200)
  expect((await fetch(bootFile.replace('525400123456', '525400123457'))).status).toBe(403)
  site.due('off')
  expect((await fetch(bootFile)).status).toBe(403)
})
