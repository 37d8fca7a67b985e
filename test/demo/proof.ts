import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { z } from 'zod'
import type { RackServer } from '../rack/qemu/server.ts'
import { folder, project, shown } from './desk.ts'
import type { Running } from './journey.ts'

/** That a server is what was asked for: the line by which a person sees it, and what the server answered to that. */
export interface Proof {
  line: string
  answer: string
}

const FIRST_BOOT_MS = 600_000
const RETRY_MS = 500
const addressed = z.object({ addresses: z.record(z.string(), z.array(z.string()).min(1)) })

/** Logs in by ssh from the site, at the address that the cloud gave, with the owner's key, until it works. */
export async function logIn(
  running: Running,
  server: string,
  machine: RackServer,
  question = 'hostname',
): Promise<Proof> {
  const until = Date.now() + FIRST_BOOT_MS
  const address = await addressOf(running, server)
  const config = join(folder, `${server}.ssh`)
  await writeFile(config, sshConfig(server, address, running.image.user))
  const argv = ['ip', 'netns', 'exec', running.lab.rack.site, 'ssh', '-F', shown(config), server]
  for (;;) {
    const { answer, complaint } = await asked(argv, question)
    if (answer !== undefined) return { line: argv.join(' '), answer }
    // A log-in that fails is tried again, also when it was ended because all of it is to end.
    if (running.interrupt.asked) throw new Error(`nobody waits for ${server} any more`)
    if (Date.now() > until)
      throw new Error(
        `${server} (${address}) can't be logged in to ${FIRST_BOOT_MS / 1000} s after it was deployed: ${complaint}; its console: ${machine.serialLog}`,
      )
    await sleep(RETRY_MS)
  }
}

async function addressOf({ desk }: Running, server: string): Promise<string> {
  const line = ['server', 'show', server, '-f', 'json', '-c', 'addresses']
  const { stdout } = await promisify(execFile)(desk.openstack, line, { cwd: project, timeout: 60_000 })
  const [address = ''] = Object.values(addressed.parse(JSON.parse(stdout)).addresses).flat()
  return address
}

/** What its first boot wrote is on the disk then: a hard reboot at once would leave host keys without contents. */
async function asked(
  [program = '', ...args]: string[],
  question: string,
): Promise<{ answer?: string; complaint?: string }> {
  try {
    const { stdout } = await promisify(execFile)(program, [...args, `sync; ${question}`], {
      cwd: project,
      timeout: 20_000,
    })
    return { answer: stdout.trim() }
  } catch (error) {
    return { complaint: String((error as { stderr?: string }).stderr ?? error).trim() }
  }
}

/** A server has new host keys after each deploy, and this network has nobody else on it. */
const sshConfig = (name: string, address: string, user: string): string => `Host ${name}
  HostName ${address}
  User ${user}
  IdentityFile ${join(folder, 'id_ed25519')}
  IdentitiesOnly yes
  BatchMode yes
  ConnectTimeout 5
  StrictHostKeyChecking no
  UserKnownHostsFile /dev/null
  LogLevel ERROR
`
