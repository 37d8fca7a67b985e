import { execFile } from 'node:child_process'
import { writeFile, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { Lab } from '../lab/lab.ts'
import type { RackServer } from '../rack/qemu/server.ts'
import { folder, project, shown } from './desk.ts'
import { lastAddress } from './leases.ts'

/** That a deployed server is what was asked for: the line by which a person sees it, and what the server answered to that. */
export interface Proof {
  line: string
  answer: string
}
export type Prove = (lab: Lab, server: RackServer) => Promise<Proof>

const FIRST_BOOT_MS = 300_000
const RETRY_MS = 500

/** Logs in by ssh from the site, with the key of the config drive, until it works. */
export const byLogin: Prove = async (lab, server) => {
  const until = Date.now() + FIRST_BOOT_MS
  const config = join(folder, `${server.name}.ssh`)
  const argv = ['ip', 'netns', 'exec', lab.rack.site, 'ssh', '-F', shown(config), server.name]
  let known = ''
  for (;;) {
    const address = lastAddress(await readFile(lab.appliance.logPath, 'utf8'), server.mac)
    if (address !== undefined && address !== known) {
      await writeFile(config, sshConfig(server.name, address))
      known = address
    }
    const { answer, complaint } = await hostname(argv)
    if (answer !== undefined) return { line: argv.join(' '), answer }
    if (Date.now() > until)
      throw new Error(
        `${server.name} (${known || 'no address yet'}) can't be logged in to ${FIRST_BOOT_MS / 1000} s after it was deployed: ${complaint}; its console: ${server.serialLog}`,
      )
    await sleep(RETRY_MS)
  }
}

/** Reads its console. */
export const byConsole: Prove = async (_lab, server) => {
  const said = new RegExp(`BLOOMERY-INSTANCE hostname=${server.name} .*`)
  const answer = await server.waitForSerial(said, { timeoutMs: FIRST_BOOT_MS })
  return { line: `grep BLOOMERY-INSTANCE ${shown(server.serialLog)}`, answer }
}

async function hostname([program = '', ...args]: string[]): Promise<{ answer?: string; complaint?: string }> {
  try {
    const { stdout } = await promisify(execFile)(program, [...args, 'hostname'], { cwd: project, timeout: 20_000 })
    return { answer: stdout.trim() }
  } catch (error) {
    return { complaint: String((error as { stderr?: string }).stderr ?? error).trim() }
  }
}

/** A server has new host keys after each
 * deploy, and this network has nobody else on it. */
const sshConfig = (name: string, address: string): string => `Host ${name}
  HostName ${address}
  User debian
  IdentityFile ${join(folder, 'id_ed25519')}
  IdentitiesOnly yes
  BatchMode yes
  ConnectTimeout 5
  StrictHostKeyChecking no
  UserKnownHostsFile /dev/null
  LogLevel ERROR
`
