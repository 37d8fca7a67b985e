import { existsSync, readFileSync } from 'node:fs'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { revocation, revokedBy, sbatOf } from './sbat.ts'

/** A PE image of nothing but sections; names over 8 bytes go to the string table, as shim's does. */
function image(sections: Record<string, Uint8Array | string>): Uint8Array {
  const entries = Object.entries(sections).map(([name, content]) => ({ name, content: Buffer.from(content) }))
  const headers = 128 + 24 + 40 * entries.length
  const strings = Buffer.from(`\0\0\0\0${entries.map(({ name }) => `${name}\0`).join('')}`)
  const bytes = Buffer.alloc(headers + strings.length)
  bytes.writeUInt32LE(128, 60)
  bytes.write('PE\0\0', 128, 'latin1')
  bytes.writeUInt16LE(entries.length, 128 + 6)
  bytes.writeUInt32LE(headers, 128 + 12)
  strings.copy(bytes, headers)
  let from = bytes.length
  for (const [index, { name, content }] of entries.entries()) {
    const at = 128 + 24 + 40 * index
    bytes.write(name.length <= 8 ? name : `/${strings.indexOf(`${name}\0`)}`, at, 'latin1')
    bytes.writeUInt32LE(content.length, at + 16)
    bytes.writeUInt32LE(from, at + 20)
    from += content.length
  }
  return Buffer.concat([bytes, ...entries.map(({ content }) => content)])
}

function level(automatic: string, latest: string): Buffer {
  const texts = Buffer.from(`${automatic}\0${latest}\0`)
  const head = Buffer.alloc(12)
  head.writeUInt32LE(8, 4)
  head.writeUInt32LE(8 + automatic.length + 1, 8)
  return Buffer.concat([head, texts])
}

const shim = image({ '.sbatlevel': level('sbat,1,2023\nshim,2\n', 'sbat,1,2025021800\nshim,4\ngrub,5\n') })

test.each([
  [
    'an old GRUB',
    'sbat,1,SBAT\ngrub,4,Free Software Foundation,grub,2.06,https\n',
    'its grub is of generation 4, and those before 5',
  ],
  ['an old shim', 'sbat,1,SBAT\nshim,3,UEFI shim,shim,15.7,https\n', 'its shim is of generation 3, and those before 4'],
  ['a GRUB of today', 'sbat,1,SBAT\ngrub,5,Free Software Foundation,grub,2.12,https\ngrub.debian,5,x\n', undefined],
  ['something else', 'sbat,1,SBAT\nsystemd,1,The systemd Developers\n', undefined],
])('%s is judged by what the shim revokes', (_, text, why) => {
  const found = revocation(sbatOf(image({ '.text': 'code', '.sbat': text })), revokedBy(shim))
  if (why === undefined) expect(found).toBeUndefined()
  else expect(found).toContain(why)
})

test('what is no PE image, or ends in the middle, says nothing and harms nobody', () => {
  const whole = image({ '.sbat': 'grub,4\n', '.sbatlevel': level('a', 'b') })
  fc.assert(
    fc.property(fc.nat(whole.length), fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255))), (length, flips) => {
      const bytes = Uint8Array.from(whole)
      for (const [at, value] of flips) bytes[at] = value
      expect(sbatOf(bytes.subarray(0, length)).size).toBeLessThanOrEqual(2)
      expect(revokedBy(bytes.subarray(0, length)).size).toBeLessThanOrEqual(3)
    }),
  )
})

const debian = {
  shim: '/usr/lib/shim/shimx64.efi.signed',
  grub: '/usr/lib/grub/x86_64-efi-signed/grubnetx64.efi.signed',
}
test.runIf(existsSync(debian.shim) && existsSync(debian.grub))("Debian's own shim and GRUB are read, and stand", () => {
  const revoked = revokedBy(readFileSync(debian.shim))
  expect([...revoked.keys()]).toEqual(expect.arrayContaining(['shim', 'grub']))
  expect(sbatOf(readFileSync(debian.grub)).get('grub')).toBeGreaterThanOrEqual(revoked.get('grub') ?? 0)
  expect(revocation(sbatOf(readFileSync(debian.grub)), revoked)).toBeUndefined()
})
