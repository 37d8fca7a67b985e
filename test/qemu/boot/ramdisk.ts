import { writeCpio } from '../../../agent/ramdisk/cpio.ts'

/** A ramdisk that says that it is up, and nothing more. `busybox` is that of its processor. */
export async function tinyRamdisk(busybox: string, says = 'RAMDISK UP'): Promise<Uint8Array> {
  const script = `#!/bin/busybox sh\n/bin/busybox echo ${says}\n/bin/busybox sleep 600\n`
  const parts = []
  for await (const part of writeCpio([
    { path: 'bin/busybox', kind: 'file', mode: 0o755, content: { from: busybox } },
    { path: 'dev', kind: 'directory' },
    { path: 'dev/console', kind: 'character', mode: 0o600, major: 5, minor: 1 },
    { path: 'init', kind: 'file', mode: 0o755, content: Buffer.from(script) },
  ]))
    parts.push(part)
  return Buffer.concat(parts)
}
