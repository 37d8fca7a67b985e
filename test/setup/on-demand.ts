import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'

const POLICY = '/usr/sbin/policy-rc.d'

/** Debian packages that only a benchmark or a comparison needs: installed when it is run. */
export function installOnDemand(packages: readonly string[]): void {
  const missing = packages.filter((name) => !isInstalled(name))
  if (missing.length === 0) return
  if (!existsSync(POLICY))
    throw new Error(
      `${POLICY} is not there: Debian would start the servers that it installs. Make one that exits with 101`,
    )
  console.error(`installing ${missing.join(' ')}`)
  const options = ['--yes', '--no-install-recommends', '-q', '-o', 'DPkg::Lock::Timeout=300']
  execFileSync('apt-get', ['install', ...options, ...missing], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', DEBIAN_FRONTEND: 'noninteractive' },
  })
}

function isInstalled(name: string): boolean {
  try {
    const status = execFileSync('dpkg-query', ['-W', '-f', '${db:Status-Status}', name], { stdio: 'pipe' })
    return status.toString() === 'installed'
  } catch {
    return false
  }
}
