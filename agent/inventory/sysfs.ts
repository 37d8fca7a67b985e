import { readFile, realpath } from 'node:fs/promises'

/** A value of sysfs, without its line's end. Undefined where the kernel or the driver has none: many reads fail by design. */
export async function valueOf(file: string): Promise<string | undefined> {
  const text = await readFile(file, 'utf8').catch(() => '')
  return text.trim().slice(0, 4096) || undefined
}

export async function numberOf(file: string): Promise<number | undefined> {
  const value = Number(await valueOf(file))
  return Number.isFinite(value) && value > 0 ? value : undefined
}

/** The nearest PCI function at or above a device: behind a virtio card it is the device's parent. */
export async function pciFunctionOf(device: string): Promise<string | undefined> {
  const path = await realpath(device).catch(() => '')
  return path.split('/').findLast((part) => /^[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$/.test(part))
}
