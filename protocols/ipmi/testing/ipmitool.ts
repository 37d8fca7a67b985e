import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** What ipmitool says of a BMC, with cipher suite 17. The password goes by its environment; two tries of ten seconds, for silence is a
 * failed test, and what was only late would be done twice. */
export async function ipmitool(
  { host, port }: { host: string; port: number },
  user: { name: string; password: string },
  words: readonly string[],
): Promise<string> {
  const login = ['-I', 'lanplus', '-C', '17', '-H', host, '-p', `${port}`, '-U', user.name, '-E', '-N', '10', '-R', '2']
  const env = { IPMI_PASSWORD: user.password, PATH: '/usr/bin:/bin' }
  return (await run('ipmitool', [...login, ...words], { env, timeout: 60_000 })).stdout
}
