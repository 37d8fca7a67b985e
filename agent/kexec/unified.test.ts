import fc from 'fast-check'
import { expect, it } from 'vitest'
import { commandLineIn, newestUnified, parseUnified } from './unified.ts'

type Named = [name: string, content: string, virtual?: number]
const BLOCK = 512

/** As linkers lay them out: headers in the first block, then each section on blocks of its own. */
function image(sections: readonly Named[]): Buffer {
  const head = Buffer.alloc(BLOCK * 2)
  head.write('MZ')
  head.writeUInt32LE(0x80, 0x3c)
  head.write('PE\0\0', 0x80, 'latin1')
  head.writeUInt16LE(sections.length, 0x86)
  head.writeUInt16LE(0xf0, 0x94)
  const parts = [head]
  for (const [index, [name, content, virtual = content.length]] of sections.entries()) {
    const at = 0x80 + 24 + 0xf0 + index * 40
    const raw = Buffer.alloc(Math.ceil(content.length / BLOCK) * BLOCK, content)
    raw.fill(0, content.length)
    head.write(name, at, 8, 'latin1')
    head.writeUInt32LE(virtual, at + 8)
    head.writeUInt32LE(raw.length, at + 16)
    head.writeUInt32LE(Buffer.concat(parts).length, at + 20)
    parts.push(raw)
  }
  return Buffer.concat(parts)
}

function told(file: Buffer) {
  const found = parseUnified(file.subarray(0, BLOCK * 2), file.length)
  const text = ({ from, size }: { from: number; size: number }) => file.toString('latin1', from, from + size)
  return found && [text(found.kernel), found.initrds.map(text), found.commandLine && text(found.commandLine)]
}

const whole: Named[] = [
  ['.text', 'stub'],
  ['.cmdline', 'root=1'],
  ['.initrd', 'I'.repeat(700)],
  ['.linux', 'K'.repeat(600)],
]

it('finds kernel, initrd and command line, without what fills up their blocks', () => {
  expect(told(image(whole))).toEqual(['K'.repeat(600), ['I'.repeat(700)], 'root=1'])
})

it('has microcode before the initrd, and is content with a kernel alone', () => {
  expect(told(image([...whole, ['.ucode', 'U']]))).toEqual(['K'.repeat(600), ['U', 'I'.repeat(700)], 'root=1'])
  expect(told(image([['.linux', 'K']]))).toEqual(['K', [], undefined])
})

it('of several profiles takes the first, whose own sections go before the common ones', () => {
  const profiles: Named[] = [
    ['.profile', 'ID=a'],
    ['.cmdline', 'a'],
    ['.profile', 'ID=b'],
    ['.cmdline', 'b'],
    ['.linux', 'other'],
  ]
  expect(told(image([...whole, ...profiles]))).toEqual(['K'.repeat(600), ['I'.repeat(700)], 'a'])
})

it.each<[string, Buffer]>([
  ['no program', Buffer.from('#!/bin/sh')],
  ['a program of DOS', Buffer.alloc(128, 'MZ')],
  ['a program without a kernel in it', image([['.text', 'stub']])],
  ['one with an empty kernel', image([['.linux', '', 0]])],
  ['one that was cut off', image(whole).subarray(0, -BLOCK * 2)],
])('is not taken in by %s', (_, file) => {
  expect(parseUnified(file.subarray(0, BLOCK * 2), file.length)).toBeUndefined()
})

it('whatever is in the file, nothing outside of it is meant', () => {
  const valid = image(whole)
  const changed = fc
    .array(fc.tuple(fc.nat(BLOCK * 2 - 1), fc.nat(255)), { maxLength: 12 })
    .map((changes) => changes.reduce((file, [at, byte]) => (file.writeUInt8(byte, at), file), Buffer.from(valid)))
  const anything = fc.uint8Array({ maxLength: 2048 }).map((bytes) => Buffer.from(bytes))
  fc.assert(
    fc.property(fc.oneof(changed, anything), fc.nat(4096), (file, cut) => {
      const size = Math.min(file.length, cut === 0 ? file.length : cut)
      const found = parseUnified(file.subarray(0, Math.min(size, BLOCK * 2)), size)
      for (const slice of found ? [found.kernel, ...found.initrds, found.commandLine ?? found.kernel] : [])
        expect([slice.from >= 0, slice.from + slice.size <= size]).toEqual([true, true])
    }),
    { numRuns: 3000 },
  )
})

it('reads a command line as a kernel would be told it', () => {
  expect(commandLineIn(Buffer.from('root=UUID=1\n quiet \0\0'))).toBe('root=UUID=1 quiet')
  expect(commandLineIn(Buffer.from('a\u0001'))).toBeUndefined()
  expect(commandLineIn(Buffer.from([0xff, 0xfe]))).toBeUndefined()
})

it('starts the newest, and one whose tries are used up only where there is no other', () => {
  expect(newestUnified(['a-6.9.efi', 'a-6.10+3.efi', 'a-6.8.efi', 'readme'])).toBe('a-6.10+3.efi')
  expect(newestUnified(['a-6.9.efi', 'a-6.10+0-3.efi'])).toBe('a-6.9.efi')
  expect(newestUnified(['a-6.10+0.efi'])).toBe('a-6.10+0.efi')
  expect(newestUnified(['a.conf'])).toBeUndefined()
})
