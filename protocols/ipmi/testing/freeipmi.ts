import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** What a program of freeipmi says of a BMC. Name and password go by a file, which only this user can read; the folder also takes
 * the place of its home, where it keeps SDR caches. */
export async function freeipmi(
  program: string,
  bmc: { host: string; port: number },
  user: { name: string; password: string },
  words: readonly string[],
): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'freeipmi-'))
  try {
    const config = join(dir, 'freeipmi.conf')
    const settings = `driver-type LAN_2_0\nusername ${user.name}\npassword ${user.password}\nprivilege-level ADMIN\n`
    await writeFile(config, settings, { mode: 0o600 })
    const login = [
      `--config-file=${config}`,
      '-h',
      `${bmc.host}:${bmc.port}`,
      '--session-timeout=30000',
      '--retransmission-timeout=5000',
    ]
    const env = { HOME: dir, PATH: '/usr/sbin:/usr/bin:/sbin:/bin' }
    return (await run(program, [...login, ...words], { env, timeout: 60_000 })).stdout
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}
