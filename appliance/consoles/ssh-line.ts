import { createHash } from 'node:crypto'
import { type AuthHandlerMiddleware, Client, type ClientChannel, type Prompt } from 'ssh2'
import { HardwareError } from '../hardware-error.ts'
import type { ConsoleEars, ConsoleLine } from './line.ts'

export interface SshDoor {
  host: string
  port: number
  username: string
  password: string
  /** Typed on the BMC's command line, to get through to the machine. */
  entry: string | undefined
  /** Says what is wrong with the host's key, by its fingerprint as OpenSSH writes it; nothing: it is the right one. */
  refuses(fingerprint: string): string | undefined
}

const READY_MS = 30_000
const ALIVE_MS = 15_000
const MISSES = 3
/** Characters that wait for a slow BMC. */
const MOST_WAITING = 4096
const MOST_PROMPTS = 4

/** A serial console behind a BMC's SSH (DSP2046 HostSerialConsole). */
export async function openSshLine(door: SshDoor, ears: ConsoleEars): Promise<ConsoleLine> {
  const client = new Client()
  const subject = `BMC ${door.host}:${door.port}, console by SSH`
  try {
    await logIn(client, door, subject)
    const channel = await openShell(client, subject)
    if (door.entry !== undefined) channel.write(`${door.entry}\r`)
    return lineOver(client, channel, ears, subject)
  } catch (error) {
    client.destroy()
    throw error
  }
}

function logIn(client: Client, { host, port, username, password, refuses }: SshDoor, subject: string): Promise<void> {
  let refused: string | undefined
  return new Promise((resolve, reject) => {
    client.once('ready', resolve)
    client.once('close', () => reject(new HardwareError(`${subject}: closed by the BMC before the log-in was over`)))
    client.on('error', (error) => reject(failure(subject, error, refused)))
    client.connect({
      host,
      port,
      username,
      password,
      authHandler: oneTry(username, password),
      readyTimeout: READY_MS,
      keepaliveInterval: ALIVE_MS,
      keepaliveCountMax: MISSES,
      hostVerifier: (key: Buffer) => {
        try {
          refused = refuses(`SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`)
        } catch (error) {
          // Out of here it would end the program.
          refused = `its host key can't be compared with the one that is known (${(error as Error).message})`
        }
        return refused === undefined
      },
    })
  })
}

/** By password where the BMC takes one so, else by its questions: a wrong one counts once with BMCs that lock users out. */
function oneTry(username: string, password: string): AuthHandlerMiddleware {
  let tried = false
  return (left, _partial, next) => {
    if (left === null) return next({ type: 'none', username })
    const ways = left as readonly string[]
    if (tried || !ways.some((way) => way === 'password' || way === 'keyboard-interactive')) return next(false as never) // its types lack what its manual says
    tried = true
    if (ways.includes('password')) return next({ type: 'password', username, password })
    next({
      type: 'keyboard-interactive',
      username,
      prompt: (_name, _instructions, _language, prompts, finish) => finish(answers(prompts, username, password)),
    })
  }
}

/** RFC 4256: what isn't shown when it is typed is the password. */
function answers(prompts: readonly Prompt[], username: string, password: string): string[] {
  return prompts.slice(0, MOST_PROMPTS).map(({ echo }) => (echo ? username : password))
}

function failure(subject: string, error: Error & { level?: string }, refused: string | undefined): HardwareError {
  if (refused !== undefined) return new HardwareError(`${subject}: ${refused}`)
  if (error.level === 'client-authentication')
    return new HardwareError(
      `${subject}: the user or its password is not accepted; correct driver_info/redfish_username and redfish_password, or let that user log in by SSH`,
    )
  return new HardwareError(`${subject}: ${error.message}; check that SSH is enabled on it, and which port it has`)
}

function openShell(client: Client, subject: string): Promise<ClientChannel> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(
      () => reject(new HardwareError(`${subject}: no shell within ${READY_MS / 1000} s`)),
      READY_MS,
    )
    client.once('close', () => reject(new HardwareError(`${subject}: closed by the BMC`)))
    client.shell({ term: 'vt100', cols: 80, rows: 25 }, (error, channel) => {
      clearTimeout(late)
      if (error) reject(new HardwareError(`${subject}: the BMC gives no shell: ${error.message}`))
      else resolve(channel)
    })
  })
}

function lineOver(client: Client, channel: ClientChannel, ears: ConsoleEars, subject: string): ConsoleLine {
  let isOver = false
  const lose = (why: string): void => {
    if (isOver) return
    isOver = true
    client.destroy()
    ears.lost(new HardwareError(`${subject}: ${why}`))
  }
  const hear = (bytes: Buffer): void => {
    if (!isOver) ears.data(bytes)
  }
  channel.on('data', hear)
  channel.stderr.on('data', hear)
  channel.on('close', () =>
    lose('the BMC has ended it; somebody else may have it, or the command that leads to the machine is not right'),
  )
  client.on('close', () => lose('the connection is lost'))
  client.on('error', (error) => lose(error.message))
  return {
    get suspended() {
      return channel.writableLength >= MOST_WAITING
    },
    write(bytes) {
      const room = Math.max(0, MOST_WAITING - channel.writableLength)
      const taken = bytes.subarray(0, room)
      if (taken.length > 0 && !isOver) channel.write(Buffer.from(taken))
      return taken.length
    },
    // RFC 4335's request has no way through the library.
    sendBreak: () => ears.mark('no break'),
    async close() {
      if (isOver) return
      isOver = true
      await new Promise<void>((resolve) => {
        const enough = setTimeout(resolve, 1000)
        client.once('close', () => {
          clearTimeout(enough)
          resolve()
        })
        client.end()
      })
      client.destroy()
    },
  }
}
