import { createHash } from 'node:crypto'
import { Client, type ClientChannel } from 'ssh2'
import { HardwareError } from '../hardware-error.ts'
import type { SwitchDoor } from './config.ts'

const READY_MS = 20_000
/** A switch that is busy takes its time until a change is in force. */
const COMMAND_MS = 75_000
const MOST_OUTPUT = 64 * 1024

/** What a command on a switch printed; rejects where it failed, with what it said. Its host is known by its key. */
export async function commandBySsh(config: SwitchDoor, command: string, signal: AbortSignal): Promise<string> {
  const client = new Client()
  const subject = `switch ${config.name} (${config.address}:${config.port})`
  const abort = (): void => void client.destroy()
  signal.addEventListener('abort', abort)
  try {
    signal.throwIfAborted()
    await logIn(client, config, subject)
    return await printed(client, command, subject)
  } finally {
    signal.removeEventListener('abort', abort)
    client.destroy()
  }
}

function logIn(client: Client, config: SwitchDoor, subject: string): Promise<void> {
  let seen: string | undefined
  const privateKey = config.privateKey()
  return new Promise((resolve, reject) => {
    client.once('ready', resolve)
    client.once('close', () => reject(new HardwareError(`${subject}: closed before the log-in was over`)))
    client.on('error', (error: Error & { level?: string }) => {
      if (seen !== undefined && seen !== config.fingerprint)
        reject(
          new HardwareError(
            `${subject}: its key is ${seen}, not ${config.fingerprint}: if that is right, correct its fingerprint in ${config.whereItIsSaid}`,
          ),
        )
      else if (error.level === 'client-authentication')
        reject(
          new HardwareError(
            `${subject}: it does not take user ${config.username} with ${config.keyName}: put its public half into that user's authorized keys`,
          ),
        )
      else reject(new HardwareError(`${subject}: ${error.message}; is SSH on, and reachable from the appliance?`))
    })
    client.connect({
      host: config.address,
      port: config.port,
      username: config.username,
      privateKey,
      readyTimeout: READY_MS,
      hostVerifier: (key: Buffer) => {
        seen = `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`
        return seen === config.fingerprint
      },
    })
  })
}

function printed(client: Client, command: string, subject: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => {
      reject(new HardwareError(`${subject}: no answer within ${COMMAND_MS / 1000} s`))
      client.destroy()
    }, COMMAND_MS)
    const end = (settle: () => void): void => {
      clearTimeout(late)
      settle()
    }
    client.once('close', () => end(() => reject(new HardwareError(`${subject}: closed while a command ran`))))
    client.exec(command, (error, channel) => {
      if (error) end(() => reject(new HardwareError(`${subject}: it takes no commands: ${error.message}`)))
      else
        hear(channel, (status, out, err) =>
          end(() => (status === 0 ? resolve(out) : reject(failed(subject, err || out)))),
        )
    })
  })
}

const failed = (subject: string, said: string): HardwareError =>
  new HardwareError(`${subject}: ${said.trim().split('\n').slice(-3).join(' ').slice(0, 300) || 'the command failed'}`)

function hear(channel: ClientChannel, done: (status: number, out: string, err: string) => void): void {
  let [out, err] = ['', '']
  channel.on('data', (data: Buffer) => (out = (out + data.toString()).slice(0, MOST_OUTPUT)))
  channel.stderr.on('data', (data: Buffer) => (err = (err + data.toString()).slice(0, MOST_OUTPUT)))
  channel.once('close', (status: number | null) => done(status ?? 1, out, err))
}
