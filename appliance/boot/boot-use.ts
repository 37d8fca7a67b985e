import { isIPv4 } from 'node:net'
import { ipv4FromText } from '@bloomery/wire/address.ts'
import type { LeaseStore } from '@bloomery/dhcp/lease.ts'
import type { Log } from '../log.ts'
import type { Notices } from '../notices.ts'
import type { Addresses6 } from './addresses6.ts'
import { MEDIUM } from './boot-part.ts'
import type { Discovery } from './discovery.ts'
import type { BootDirectory, BootMachine } from './machine.ts'

export interface BootUseParts {
  directory: Pick<BootDirectory, 'byBootToken' | 'bySpentToken'>
  discovery: Pick<Discovery, 'byToken'>
  leases: Pick<LeaseStore, 'byAddress'>
  addresses6?: Pick<Addresses6, 'macAt'>
  notices: Notices
  log: Log
}

export interface BootUse {
  allowed(token: string, part: string, client: string | undefined): { machine: BootMachine; mac: string } | undefined
}

/** A virtual drive's medium is fetched by the BMC, which has a card of its own. */
const isByBmc = (machine: BootMachine, part: string): boolean => part === MEDIUM || machine.instance?.byMedium === true
const netboots = ({ mode }: BootMachine): boolean => mode === 'ramdisk' || mode === 'instance'

/**
 * Who may use a boot's URLs: the card that they were made for, until its machine goes on:
 * after one boot, or, where the instance is what is booted, when it is torn down. Whoever else knows one has read it off the
 * wire or out of a log, and people should hear of that. Tokens are secrets, so none is logged.
 */
export function bootUse({ directory, discovery, leases, addresses6, notices, log }: BootUseParts): BootUse {
  const macAt = (client = ''): string | undefined => {
    const address = client.replace(/^::ffff:/, '')
    return isIPv4(address) ? leases.byAddress(ipv4FromText(address))?.mac || undefined : addresses6?.macAt(address)
  }
  return {
    allowed(token, part, client) {
      const boot = discovery.byToken(token) ?? directory.byBootToken(token)
      const asks = macAt(client)
      const isDue = boot !== undefined && netboots(boot.machine)
      if (isDue && (asks === undefined || asks === boot.mac || isByBmc(boot.machine, part))) return boot
      const spent = boot === undefined ? directory.bySpentToken(token) : undefined
      const of = boot === undefined ? spent : { node: boot.machine.node, mac: boot.mac }
      if (of === undefined) {
        log.warn({ part, client }, 'boot refused: the token is unknown')
        return undefined
      }
      const who = asks === of.mac ? 'by itself' : `by ${asks ?? 'an unknown card'} at ${client ?? 'an unknown address'}`
      const what = isDue ? `the ${part} of the boot of ${of.mac}` : `the ${part} of a boot of ${of.mac} that is over`
      const text = `${what} was asked for ${who}, and refused`
      log.warn({ node: of.node, mac: of.mac, part, client, asks }, `boot refused: ${text}`)
      notices.tell(`boot url ${of.node} ${asks ?? client ?? ''}`, { subject: 'boot url', node: of.node, text })
      return undefined
    },
  }
}
