import { execFileSync, spawn } from 'node:child_process'
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { freePort } from '@bloomery/wire/free-port.ts'

export const consoleUser = { username: 'bmcadmin', password: 'ssh-secret' }

/** A serial port as a BMC's shell has it: says hello, then echoes what is typed. */
const DOOR = `stty raw -echo 2>/dev/null
printf 'serial port of m1\\r\\n'
exec cat
`
/** A BMC's command line, from which a command leads to the serial port. */
const SHELL = `printf 'racadm>>'
read -r command
[ "$command" = 'console com2' ] || { printf 'unknown command\\r\\n'; exit 1; }
exec sh "$DOOR"
`

export interface PeerSshServer {
  port: number
  /** As ssh-keygen prints it. */
  fingerprint: string
  /** It starts again with another key. */
  rekey(): Promise<void>
  log(): string
  stop(): Promise<void>
}

/** Debian's sshd as a BMC. Its user is in files that only it sees, by a mount namespace of its own. */
export async function startSshServer(
  way: 'password' | 'keyboard-interactive',
  behind: 'door' | 'shell' = 'door',
): Promise<PeerSshServer> {
  const dir = mkdtempSync(join(tmpdir(), 'peer-sshd-'))
  const file = (name: string): string => join(dir, name)
  chmodSync(dir, 0o755) // the user's shell is to read its script
  writeFileSync(file('door.sh'), DOOR)
  writeFileSync(file('shell.sh'), `DOOR=${file('door.sh')}\n${SHELL}`)
  copyFileSync('/etc/passwd', file('passwd'))
  writeFileSync(file('passwd'), `${consoleUser.username}:x:4242:65534::/:/bin/sh\n`, { flag: 'a' })
  const hash = execFileSync('openssl', ['passwd', '-6', '-stdin'], {
    input: consoleUser.password,
    encoding: 'utf8',
  }).trim()
  const entry = (name: string, password: string): string => `${name}:${password}:19000:0:99999:7:::\n`
  writeFileSync(file('shadow'), entry('root', '*') + entry('sshd', '!') + entry(consoleUser.username, hash), {
    mode: 0o600,
  })
  mkdirSync('/run/sshd', { recursive: true })
  const newKey = (): string => {
    rmSync(file('host_key'), { force: true })
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file('host_key')])
    return execFileSync('ssh-keygen', ['-lf', file('host_key.pub')], { encoding: 'utf8' }).split(' ')[1]!
  }
  let fingerprint = newKey()
  const port = await freePort()
  writeFileSync(
    file('sshd_config'),
    [
      `ListenAddress 127.0.0.1:${port}`,
      `HostKey ${file('host_key')}`,
      'PidFile none',
      `UsePAM ${way === 'keyboard-interactive' ? 'yes' : 'no'}`,
      `PasswordAuthentication ${way === 'password' ? 'yes' : 'no'}`,
      `KbdInteractiveAuthentication ${way === 'keyboard-interactive' ? 'yes' : 'no'}`,
      'PubkeyAuthentication no',
      `AllowUsers ${consoleUser.username}`,
      `ForceCommand sh ${file(`${behind}.sh`)}`,
      'PrintMotd no',
      '',
    ].join('\n'),
  )
  let log = ''
  const start = async () => {
    const binds = ['passwd', 'shadow'].map((name) => `mount --bind ${file(name)} /etc/${name}`)
    const script = `${binds.join(' && ')} && exec /usr/sbin/sshd -D -e -f ${file('sshd_config')}`
    const child = spawn('unshare', ['-m', 'sh', '-c', script], { stdio: ['ignore', 'ignore', 'pipe'] })
    child.stderr.on('data', (text: Buffer) => (log += text.toString()))
    const ended = new Promise<void>((resolve) => void child.once('exit', () => resolve()))
    const isUp = await answers(port, ended)
    if (!isUp) throw new Error(`sshd did not start: ${log}`)
    return async (): Promise<void> => {
      child.kill('SIGKILL')
      await ended
    }
  }
  let end = await start()
  return {
    port,
    get fingerprint() {
      return fingerprint
    },
    async rekey() {
      await end()
      fingerprint = newKey()
      end = await start()
    },
    log: () => log,
    async stop() {
      await end()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

async function answers(port: number, ended: Promise<void>): Promise<boolean> {
  const over = ended.then(() => 'over')
  const until = Date.now() + 60_000
  while (Date.now() < until) {
    if (await reached(port)) return true
    if ((await Promise.race([over, setTimeout(50)])) === 'over') return false
  }
  return false
}

function reached(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' })
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
