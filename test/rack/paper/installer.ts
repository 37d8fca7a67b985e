import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Clock } from '../../../appliance/clock.ts'
import type { PaperMachine } from './machine.ts'

/** What Anaconda does with a kickstart, on a machine of paper: it fetches what its command line names, runs the sections' own lines by a real
 * shell, with a real curl, and installs in between. */
export async function runInstaller(machine: PaperMachine, commandLine: string, clock: Clock): Promise<void> {
  const told = Object.fromEntries(commandLine.split(' ').map((word) => word.split(/=(.*)/s).slice(0, 2))) as Record<
    string,
    string
  >
  const kickstart = await get(told['inst.ks']!)
  const stage2 = told['inst.stage2']
  if (stage2 !== undefined) await get(`${stage2}/LiveOS/squashfs.img`)
  machine.kickstarts.push(kickstart)
  await runSections(kickstart, 'pre')
  try {
    await clock.sleep(60_000)
    if (machine.diskFault !== undefined) throw new Error(machine.diskFault)
    machine.disk.image = 'installed'
  } catch {
    return runSections(kickstart, 'onerror')
  }
  await runSections(kickstart, 'post')
  if (/^poweroff$/m.test(kickstart)) machine.off()
}

async function get(url: string): Promise<string> {
  const reply = await fetch(url)
  if (!reply.ok) throw new Error(`${url} answers ${reply.status}`)
  return reply.text()
}

/** But for those that touch the installed system, of which there is none. */
async function runSections(kickstart: string, name: string): Promise<void> {
  for (const [, flags = '', script = ''] of kickstart.matchAll(
    new RegExp(`^%${name}\\b([^\\n]*)\\n(.*?)^%end$`, 'gms'),
  ))
    if (!flags.includes('--nochroot')) await promisify(execFile)('sh', ['-ec', script])
}
