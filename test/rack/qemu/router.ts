import { open, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { spawnIn } from './netns.ts'

/** Says "no prefix here, no DHCPv6 here, and I am no default router", at once and to each who asks. */
const configuration = `interface br0 {
  AdvSendAdvert on;
  MinRtrAdvInterval 3;
  MaxRtrAdvInterval 4;
  AdvDefaultLifetime 0;
};
`

/** Puts an IPv6 router on the servers' network. On a network that has none, iPXE solicits for 13 s before it goes on,
 * though DHCPv4 has long succeeded. It ends with its namespace. */
export async function startRouter(servers: string, dir: string): Promise<void> {
  const path = join(dir, 'radvd.conf')
  await writeFile(path, configuration)
  const start = `cd /proc/sys/net/ipv6/conf && echo 0 >br0/accept_dad && echo 0 >br0/disable_ipv6 &&
    exec radvd --nodaemon --logmethod stderr --config "$0" --pidfile "$1"`
  const log = await open(join(dir, 'radvd.log'), 'a')
  spawnIn(servers, ['sh', '-c', start, path, join(dir, 'radvd.pid')], { stdio: ['ignore', log.fd, log.fd] }).unref()
  await log.close()
}
