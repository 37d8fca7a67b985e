import { readFileSync } from 'node:fs'

/** The datagrams of a capture, from a file with one in hex per line. */
export function readCapture(name: string): Uint8Array[] {
  const text = readFileSync(new URL(`../captures/${name}.hex`, import.meta.url), 'utf8')
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => hex(line))
}

/** Spaces are for the reader. */
export function hex(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text.replaceAll(' ', ''), 'hex'))
}
