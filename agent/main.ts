import { readFile } from 'node:fs/promises'
import { runAgent } from './agent.ts'
import { realClock } from './clock.ts'
import { TokenTaken } from './ironic/lookup.ts'
import { createLog, reason } from './log.ts'
import { addressesOf, addressTowards, listInterfaces } from './machine/network.ts'
import { createServer } from './machine/server.ts'
import { setClock } from './machine/set-clock.ts'
import { run } from './programs.ts'
import { minimumTokenLength } from '../contract/agent.ts'
import { imageKeys } from '../contract/images/signature.ts'
import { readSettings } from './settings.ts'
import type { Trust } from './http.ts'

/** The ramdisk's program. Ends with 1 when it cannot go on: init then starts it again. */
async function main(): Promise<void> {
  const [given] = process.argv.slice(2)
  const told = readSettings(given ?? (await readFile('/proc/cmdline', 'utf8')))
  const settings = { ...told, token: told.token ?? (await tokenOfMedium()) }
  const clock = realClock
  const log = createLog((line) => void process.stdout.write(line), clock.now, settings.debug)
  const stop = new AbortController()
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stop.abort())
  try {
    const ca = await readFile('/etc/bloomery/site-ca.pem', 'utf8').catch(() => undefined)
    const acceptedKeys = await keysOfImages()
    const trust: Trust = { ca, insecure: settings.insecure }
    const addresses = async () => addressesOf(await listInterfaces(), settings.bootMac)
    const machine = (lockDown: () => void) =>
      createServer({ clock, log, trust, settings, imageKeys: acceptedKeys, lockDown })
    const time = (date: number | undefined) => setClock({ ntpServer: settings.ntpServer, date }, clock, log)
    const means = { settings, trust, clock, log, machine, addresses, addressTowards, setClock: time }
    const locked = await runAgent(means, stop.signal)
    if (locked) await goDark()
  } catch (error) {
    log.error('agent ended', { because: reason(error) })
    if (error instanceof TokenTaken) await goDark()
    process.exitCode = 1
  }

  /** Nothing may reach this server any more, nor be reached by it, until somebody cycles its power. */
  async function goDark(): Promise<void> {
    log.warn('locked down: the network goes down until the next power cycle')
    for (const { name } of await listInterfaces()) await run('ip', ['link', 'set', 'dev', name, 'down'], 10)
    while (!stop.signal.aborted) await clock.sleep(3_600_000, stop.signal)
  }
}

/** One a line, as `bloomery image key` prints them; without the file images need no signature. */
async function keysOfImages(): Promise<string[]> {
  const text = await readFile('/etc/bloomery/image-keys', 'utf8').catch(() => '')
  return imageKeys.parse(
    text
      .split('\n')
      .filter((line) => line.trim() !== '')
      .map((line) => line.trim()),
  )
}

/** A boot medium made for this machine brings its token along: not in the kernel's command line, which everybody may read. */
async function tokenOfMedium(): Promise<string | undefined> {
  const text = await readFile('/etc/bloomery/agent-token', 'utf8').catch(() => '')
  return text.length >= minimumTokenLength ? text : undefined
}

await main()
