import { spawn } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import type { Log } from '../log.ts'
import { run } from '../programs.ts'

/** People get in at the consoles: as `rescue`, which is root by another name, with the password that was asked for. The ramdisk has
 * no SSH server. */
const USER = 'rescue'
const account = `${USER}:x:0:0:rescue:/root:/bin/sh`

/** By crypt(3)'s SHA-512; the password goes in by standard input, so that no process list shows it. */
export async function hashPassword(password: string): Promise<string> {
  return (await run('mkpasswd', ['-m', 'sha512', '-P', '0'], 30, `${password}\n`)).toString('utf8').trim()
}

export async function allowRescue(hash: string, log: Log, etc = '/etc'): Promise<void> {
  const passwd = await readFile(`${etc}/passwd`, 'utf8')
  const isNew = !passwd.split('\n').includes(account)
  await writeFile(`${etc}/shadow`, `root:*:::::::\n${USER}:${hash}:::::::\n`, { mode: 0o600 })
  if (!isNew) return
  await writeFile(`${etc}/passwd`, `${passwd.trimEnd()}\n${account}\n`)
  for (const console of consolesIn(await readFile('/sys/class/tty/console/active', 'utf8'))) {
    askForLogin(console)
    log.info('rescue login', { console })
  }
}

/** tty0 is whichever screen is in front; people log in at the first. */
export function consolesIn(active: string): string[] {
  const names = active.split(/\s+/).filter((name) => /^(tty\w+|hvc\d+)$/.test(name))
  return [...new Set(names.map((name) => (name === 'tty0' ? 'tty1' : name)))]
}

/** Again after every log-out, until the machine goes down. */
function askForLogin(console: string): void {
  const loop = `while :; do getty -L 0 ${console} vt100; sleep 1; done`
  spawn('setsid', ['sh', '-c', loop], { stdio: 'ignore', detached: true }).unref()
}
