import type { ForeignServer } from '@bloomery/dhcp/rogue.ts'
import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import type { Metrics } from '../metrics.ts'
import type { Notices } from '../notices.ts'

const AGAIN_MS = 3_600_000
const MOST = 64

/** Another DHCP server on a network that we serve breaks boots at random: each is said once an hour, and every sign is counted. */
export function foreignServers(parts: {
  log: Log
  metrics: Metrics
  notices: Notices
  clock: Pick<Clock, 'now'>
}): (found: ForeignServer) => void {
  const { log, metrics, notices, clock } = parts
  const told = new Map<string, number>()
  return (found) => {
    metrics.count('bloomery_dhcp_foreign_servers_total', { server: found.server })
    const now = clock.now().getTime()
    for (const [server, when] of told) if (now - when > AGAIN_MS) told.delete(server)
    if (told.has(found.server) || told.size >= MOST) return
    told.set(found.server, now)
    const text =
      `another DHCP server, ${found.server}, was ${found.how}: machines may get their address and boot file from it. ` +
      'Turn it off on this network, or set mode proxy for the subnet if it shall give the addresses'
    log.warn({ ...found }, text)
    notices.tell(`dhcp server ${found.server}`, { subject: 'dhcp server', text })
  }
}
