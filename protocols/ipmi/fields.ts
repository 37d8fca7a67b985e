import { isIPv4 } from 'node:net'
import { WireError } from '@bloomery/wire/error.ts'
import type { Reader } from '@bloomery/wire/reader.ts'
import type { Writer } from '@bloomery/wire/writer.ts'

/** The vocabulary in which commands.ts declares its requests and responses. */
export interface Codec<T> {
  read(reader: Reader): T
  write(writer: Writer, value: T): void
}

/** Where in a byte a named value sits: its lowest bit and how many bits. */
interface Span {
  at: number
  width: number
}

type Shape = Record<string, Codec<unknown>>
type ValueOf<C> = C extends Codec<infer T> ? T : never

export const uint8: Codec<number> = {
  read: (reader) => reader.u8(),
  write: (writer, value) => writer.u8(value),
}

export const uint16: Codec<number> = {
  read: (reader) => reader.u16le(),
  write: (writer, value) => writer.u16le(value),
}

/** IPMI 2.0 §20.1: IANA enterprise numbers are 20 bits in three bytes, lowest first. */
export const uint24: Codec<number> = {
  read: (reader) => reader.u16le() | (reader.u8() << 16),
  write: (writer, value) => writer.u16le(value & 0xffff).u8(value >>> 16),
}

export const uint32: Codec<number> = {
  read: (reader) => reader.u32le(),
  write: (writer, value) => writer.u32le(value),
}

/** Two's complement. */
export const int16: Codec<number> = {
  read: (reader) => (reader.u16le() << 16) >> 16,
  write: (writer, value) => writer.u16le(value < 0 ? value + 0x1_0000 : value),
}

/** So many bytes, as they are. */
export function bytes(length: number): Codec<Uint8Array> {
  return { read: (reader) => reader.bytes(length), write: (writer, value) => writer.padded(value, length) }
}

/** A text (by the specification ASCII) in a field of so many bytes, which a NUL ends where it is shorter. */
export function text(length: number): Codec<string> {
  return {
    read: (reader) => {
      const field = reader.bytes(length)
      const end = field.indexOf(0)
      return Buffer.from(end === -1 ? field : field.subarray(0, end)).toString('latin1')
    },
    write: (writer, value) => writer.padded(Buffer.from(value, 'latin1'), length),
  }
}

/** A byte that is always the same; anything else is another protocol. */
export function constant<const V extends number>(value: V): Codec<V> {
  return {
    read: (reader) => {
      const byte = reader.u8()
      if (byte !== value) throw new WireError(`${byte} where ${value} is due`)
      return value
    },
    write: (writer) => writer.u8(value),
  }
}

/** In dotted decimals, as people write it. */
export const ipv4: Codec<string> = {
  read: (reader) => [...reader.bytes(4)].join('.'),
  write: (writer, value) => {
    if (!isIPv4(value)) throw new RangeError(`${value} is no IPv4 address`)
    writer.bytes(Uint8Array.from(value.split('.'), Number))
  },
}

export const mac: Codec<string> = {
  read: (reader) => [...reader.bytes(6)].map((byte) => byte.toString(16).padStart(2, '0')).join(':'),
  write: (writer, value) => {
    if (!/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(value)) throw new RangeError(`${value} is no MAC address`)
    writer.bytes(Buffer.from(value.replaceAll(':', ''), 'hex'))
  },
}

export const rest: Codec<Uint8Array> = {
  read: (reader) => reader.rest(),
  write: (writer, value) => writer.bytes(value),
}

/** A field that older or lazier BMCs leave off the end. */
export function optional<T>(codec: Codec<T>): Codec<T | undefined> {
  return {
    read: (reader) => (reader.remaining > 0 ? codec.read(reader) : undefined),
    write: (writer, value) => {
      if (value !== undefined) codec.write(writer, value)
    },
  }
}

/** A number of which this protocol names the legal values. */
export function named<const N extends Record<string, number>>(names: N): Codec<keyof N & string> {
  const byNumber = new Map(Object.entries(names).map(([name, value]) => [value, name]))
  return {
    read: (reader) => {
      const value = reader.u8()
      const name = byNumber.get(value)
      if (name === undefined) throw new WireError(`${value} is none of ${Object.keys(names).join(', ')}`)
      return name
    },
    write: (writer, name) => writer.u8(names[name] ?? Number.NaN),
  }
}

/** One byte divided into named parts, each by its lowest bit and, unless it is 1, its width. Other bits read as don't care. */
export function bits<const S extends Record<string, number | readonly [at: number, width: number]>>(
  parts: S,
): Codec<{ [K in keyof S]: S[K] extends number ? boolean : number }> {
  type Value = { [K in keyof S]: S[K] extends number ? boolean : number }
  const spans = Object.entries(parts).map(([name, part]): [string, Span, boolean] =>
    typeof part === 'number' ? [name, { at: part, width: 1 }, true] : [name, { at: part[0], width: part[1] }, false],
  )
  return {
    read: (reader) => {
      const byte = reader.u8()
      const value: Record<string, boolean | number> = {}
      for (const [name, { at, width }, flag] of spans) {
        const part = (byte >>> at) & ((1 << width) - 1)
        value[name] = flag ? part === 1 : part
      }
      return value as Value
    },
    write: (writer, value) => {
      let byte = 0
      for (const [name, { at, width }] of spans) {
        const part = Number(value[name])
        if (!Number.isInteger(part) || part < 0 || part >>> width !== 0)
          throw new RangeError(`${name}: ${part} does not fit ${width} bits`)
        byte |= part << at
      }
      writer.u8(byte)
    },
  }
}

export function struct<const S extends Shape>(shape: S): Codec<{ [K in keyof S]: ValueOf<S[K]> }> {
  type Value = { [K in keyof S]: ValueOf<S[K]> }
  const fields = Object.entries(shape)
  return {
    read: (reader) => Object.fromEntries(fields.map(([name, codec]) => [name, codec.read(reader)])) as Value,
    write: (writer, value) => {
      for (const [name, codec] of fields) codec.write(writer, value[name])
    },
  }
}

export const nothing: Codec<undefined> = { read: () => undefined, write: () => undefined }
