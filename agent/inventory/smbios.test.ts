import { describe, expect, it } from 'vitest'
import { memoryMebibytes, parseSmbios, systemVendor } from './smbios.ts'

function structure(type: number, formatted: number[], strings: string[] = []): Buffer {
  const header = [type, formatted.length + 4, 0, 0]
  const text = strings.length === 0 ? '\0\0' : `${strings.join('\0')}\0\0`
  return Buffer.concat([Buffer.from([...header, ...formatted]), Buffer.from(text, 'latin1')])
}

/** A memory device whose size stands at 0Ch, and its extended size at 1Ch. */
function memoryDevice(size: number, extended = 0): Buffer {
  const area = Buffer.alloc(0x20 - 4)
  area.writeUInt16LE(size, 0x0c - 4)
  area.writeUInt32LE(extended, 0x1c - 4)
  return structure(17, [...area])
}

const bios = structure(0, [1, 2, 0, 0, 3, 0], ['SeaBIOS', '1.16', '04/01/2014'])
const system = structure(1, [1, 2, 0, 3], ['Dell Inc.', 'PowerEdge R650', 'ABC1234'])
const end = structure(127, [])

describe('the SMBIOS table', () => {
  it('says who made the machine and its firmware', () => {
    expect(systemVendor(parseSmbios(Buffer.concat([bios, system, end])))).toEqual({
      manufacturer: 'Dell Inc.',
      product_name: 'PowerEdge R650',
      serial_number: 'ABC1234',
      firmware: { vendor: 'SeaBIOS', version: '1.16', build_date: '04/01/2014' },
    })
  })

  it('says how much memory is plugged in: small, large, empty and unknown modules', () => {
    const modules = [memoryDevice(16_384), memoryDevice(0x7fff, 65_536), memoryDevice(0), memoryDevice(0xffff)]
    expect(memoryMebibytes(parseSmbios(Buffer.concat([...modules, end])))).toBe(16_384 + 65_536)
    expect(memoryMebibytes(parseSmbios(memoryDevice(0x8000 | 2048)))).toBe(2)
    expect(memoryMebibytes(parseSmbios(Buffer.concat([system, end])))).toBeUndefined()
  })

  it('is read as far as it goes: what follows its end, or is cut off, is not of it', () => {
    expect(parseSmbios(Buffer.concat([bios, end, system])).map(({ type }) => type)).toEqual([0, 127])
    const whole = Buffer.concat([bios, system, end])
    for (let length = 0; length < whole.length; length++)
      expect(parseSmbios(whole.subarray(0, length)).length).toBeLessThanOrEqual(3)
    expect(parseSmbios(Buffer.from([1, 0, 0, 0]))).toEqual([])
    expect(systemVendor([])).toBeUndefined()
  })
})
