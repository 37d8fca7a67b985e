import { execFile } from 'node:child_process'
import { open, rename, rm } from 'node:fs/promises'
import type { ImageReference } from '../../contract/plan.ts'
import { HardwareError } from '../hardware-error.ts'

/** qcow2 → raw by qemu-img. The format is named, never guessed, and a backing file is refused: an image must not reach into this site's
 * files (CVE-2024-32498). */
export async function toRaw(from: string, to: string, image: ImageReference, signal: AbortSignal): Promise<void> {
  const info = await qemuImg(['info', '--output=json', '-f', image.disk_format, from], image, signal)
  const facts = JSON.parse(info) as Record<string, unknown>
  const specific = (facts['format-specific'] as { data?: Record<string, unknown> } | undefined)?.data ?? {}
  if (facts['backing-filename'] !== undefined || specific['data-file'] !== undefined)
    throw new HardwareError(`image ${image.name} refers to another file; flatten it first (qemu-img convert)`)
  const part = `${to}.part`
  await rm(part, { force: true })
  await qemuImg(['convert', '-f', image.disk_format, '-O', 'raw', from, part], image, signal)
  const file = await open(part, 'r+')
  try {
    await file.datasync()
  } finally {
    await file.close()
  }
  await rename(part, to)
}

function qemuImg(args: string[], image: ImageReference, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile('qemu-img', args, { signal, maxBuffer: 1 << 20 }, (error, out, err) => {
      if (!error) {
        resolve(out)
        return
      }
      const missing = (error as NodeJS.ErrnoException).code === 'ENOENT'
      const why = missing ? 'this appliance lacks qemu-img (package qemu-utils)' : err.trim().slice(0, 500)
      reject(
        new HardwareError(`image ${image.name} can't be converted from ${image.disk_format}: ${why}`, { cause: error }),
      )
    })
  })
}
