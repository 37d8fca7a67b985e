import { libc } from '@bloomery/wire/libc.ts'
import { leastBusy, startNativeThreads, type NativeThread } from '@bloomery/wire/native-thread.ts'
import type { PumpEnd, PumpOrder } from './file-pump.ts'

let threads: Promise<NativeThread<PumpOrder, PumpEnd>[]> | undefined

/** Threads of this process, made when the first file is sent: undefined where the platform has not what it takes. */
export async function filePump(): Promise<NativeThread<PumpOrder, PumpEnd> | undefined> {
  // One that is lost says so by not being alive, and what it had by failing.
  threads ??= startNativeThreads(new URL('file-pump-thread.ts', import.meta.url), () => {})
  return leastBusy(await threads)
}

/** A second descriptor of the same connection; undefined where it has none, as under TLS. */
export function duplicate(socket: object): number | undefined {
  const { _handle: handle, encrypted } = socket as { _handle?: { fd?: number } | null; encrypted?: boolean }
  const fd = handle?.fd ?? -1
  if (encrypted === true || fd < 0) return undefined
  const copy = libc()?.dup(fd) ?? -1
  return copy < 0 ? undefined : copy
}

export function closeDuplicate(fd: number): void {
  libc()?.close(fd)
}
