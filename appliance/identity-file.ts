import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Identity } from './identity.ts'

/** All or nothing, on the disk when it returns: what is replaced opened the way to the cloud, and so must what is there after a power cut. */
export function writeIdentity(path: string, identity: Identity): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const part = `${path}.part`
  // What an attempt left keeps its mode when it is written to again.
  rmSync(part, { force: true })
  const file = openSync(part, 'wx', 0o600)
  try {
    writeFileSync(file, JSON.stringify(identity, null, 2))
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(part, path)
  // The name must survive as the bytes do.
  const folder = openSync(dirname(path), 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}
