import { join } from 'node:path'
import { SERVER } from './network.ts'
import type { Peers } from './peers.ts'

const ATFTPD = '--daemon --no-fork --user root.root --group root --maxthread 200'

/** How each server is started. */
export function tftpServers(dir: string, root: string, { atftpd }: Peers): Record<string, string[]> {
  return {
    bloomery: [process.execPath, join(import.meta.dirname, 'server.ts'), dir, SERVER],
    'tftpd-hpa': ['in.tftpd', '--foreground', '--secure', '--address', `${SERVER}:69`, '-4', root],
    atftpd: [atftpd, ...`${ATFTPD} --bind-address ${SERVER} ${root}`.split(' ')],
  }
}
