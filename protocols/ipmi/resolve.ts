import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import type { Clock } from './clock.ts'
import { TransportError, TransportTimeout } from './error.ts'
import type { Patience } from './exchange.ts'

/** The address of a BMC, within the operation's time: a resolver whose servers are silent takes as long as it likes. */
export async function resolveHost(
  { host, port }: { host: string; port: number },
  clock: Clock,
  { deadline, seconds }: Patience,
  find: (host: string) => Promise<{ address: string }> = lookup,
): Promise<string> {
  if (isIP(host) !== 0) return host
  const subject = { host, port, operation: 'resolve host name' }
  const late = Promise.withResolvers<never>()
  const cancel = clock.after(deadline - clock.now(), () => late.reject(new TransportTimeout(subject, seconds)))
  const found = find(host).catch((error: unknown) => {
    throw new TransportError(subject, error)
  })
  try {
    return (await Promise.race([found, late.promise])).address
  } finally {
    cancel()
    // Whoever is late after the end speaks to nobody.
    found.catch(() => undefined)
  }
}
