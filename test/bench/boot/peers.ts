import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { installOnDemand } from '../../setup/on-demand.ts'

/** Servers that only this benchmark needs. Debian's atftpd conflicts with tftpd-hpa, so that one is unpacked beside. */
const INSTALLED = [
  'dnsmasq-base',
  'isc-dhcp-server',
  'kea-admin',
  'kea-dhcp4-server',
  'nginx-light',
  'tftpd-hpa',
  'atftp',
]
const UNPACKED = 'atftpd'

export interface Peers {
  atftpd: string
}

export function installPeers(cache: string): Peers {
  installOnDemand(INSTALLED)
  const root = join(cache, UNPACKED)
  const atftpd = join(root, 'usr/sbin/atftpd')
  if (!existsSync(atftpd)) {
    mkdirSync(root, { recursive: true })
    execFileSync('apt-get', ['download', UNPACKED], { cwd: root, stdio: 'ignore' })
    execFileSync('sh', ['-c', 'dpkg -x atftpd_*.deb .'], { cwd: root })
  }
  return { atftpd }
}
