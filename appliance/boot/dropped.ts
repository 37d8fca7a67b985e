import { WireError } from '@bloomery/wire/error.ts'
import type { Log } from '../log.ts'

/** Anybody can send rubbish at any rate, so that is no news; what fails at our side is. */
export function dropped(log: Log, protocol: 'DHCP' | 'DHCPv6' | 'TFTP', error: Error): void {
  const level = error instanceof WireError ? 'debug' : 'warn'
  log[level]({ err: error }, `${protocol}: ${error.message}`)
}
