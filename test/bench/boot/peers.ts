import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'

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
const POLICY = '/usr/sbin/policy-rc.d'

export interface Peers {
  atftpd: string
}

export function installPeers(cache: string): Peers {
  const missing = INSTALLED.filter((name) => !isInstalled(name))
  if (missing.length > 0) {
    if (!existsSync(POLICY))
      throw new Error(
        `${POLICY} is not there: Debian would start the servers that it installs. Make one that exits with 101`,
      )
    console.log(`installing ${missing.join(' ')}`)
    const options = ['--yes', '--no-install-recommends', '-q', '-o', 'DPkg::Lock::Timeout=300']
    execFileSync('apt-get', ['install', ...options, ...missing], {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', DEBIAN_FRONTEND: 'noninteractive' },
    })
  }
  const root = join(cache, UNPACKED)
  const atftpd = join(root, 'usr/sbin/atftpd')
  if (!existsSync(atftpd)) {
    mkdirSync(root, { recursive: true })
    execFileSync('apt-get', ['download', UNPACKED], { cwd: root, stdio: 'ignore' })
    execFileSync('sh', ['-c', 'dpkg -x atftpd_*.deb .'], { cwd: root })
  }
  return { atftpd }
}

function isInstalled(name: string): boolean {
  try {
    const status = execFileSync('dpkg-query', ['-W', '-f', '${db:Status-Status}', name], { stdio: 'pipe' })
    return status.toString() === 'installed'
  } catch {
    return false
  }
}
