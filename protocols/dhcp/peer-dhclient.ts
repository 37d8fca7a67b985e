import type { ChildProcess } from 'node:child_process'
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ADDRESSES_SETTLED, type PeerNetwork } from './peer-network.ts'

/** Debian's dhclient on `eth0`, with a script of its own instead of Debian's, which would rewrite the host's resolv.conf. */
export interface PeerDhclient {
  process: ChildProcess
  /** What its script was called with, a line each: reason, address, server, host name. */
  told(): string[]
  /** The rest of the line of its first BOUND or BOUND6, which is waited for. */
  bound(): Promise<string>
  /** Another dhclient gives this one's lease back, and ends it. */
  release(): void
}

/** `does`: more of its script, in which `$reason` is why it is called. */
export function startDhclient(
  network: PeerNetwork,
  netns: string,
  dir: string,
  { ipv6 = false, does = '' } = {},
): PeerDhclient {
  const file = (kind: string): string => join(dir, `${netns}.${kind}`)
  const settled = ipv6 ? `[ "$reason" != PREINIT6 ] || ${ADDRESSES_SETTLED}\n` : ''
  const words = '$reason $new_ip_address$new_ip6_address $new_dhcp_server_identifier $new_host_name'
  writeFileSync(file('script'), `#!/bin/sh\n${settled}${does}\necho "${words}" >>'${file('told')}'\n`)
  chmodSync(file('script'), 0o755)
  const own = ['-sf', file('script'), '-lf', file('leases'), '-pf', file('pid'), '-cf', '/dev/null', 'eth0']
  const family = ipv6 ? '-6' : '-4'
  const child = network.run(netns, ['dhclient', family, '-d', ...own])
  const told = (): string[] => (existsSync(file('told')) ? readFileSync(file('told'), 'utf8').trim().split('\n') : [])
  return {
    process: child,
    told,
    bound: () =>
      network.until(`lease in ${netns}`, () =>
        told()
          .map((line) => /^BOUND6? +(.*)$/.exec(line)?.[1]?.trim())
          .find((line) => line !== undefined),
      ),
    release() {
      network.letGo(child)
      network.run(netns, ['dhclient', family, '-r', ...own])
    },
  }
}
