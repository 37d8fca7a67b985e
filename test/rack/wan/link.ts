import { createInterface } from 'node:readline'
import { spawnIn } from '../qemu/netns.ts'
import { linkProgram } from './build.ts'
import { type LinkCounters, parseCounters } from './counters.ts'

export type LinkQuality = { delayMs?: number; loss?: number }

/** A wire between two TAP devices whose delay, loss and cut are under the control of a test. */
export type WanLink = {
  /** Delay is one way; loss (0..1) is each way. What is left out stays as it is. */
  set(quality: LinkQuality): Promise<void>
  /** From now on every frame vanishes, those under way too; nobody is told, as with a cut cable far away. */
  cut(): Promise<void>
  mend(): Promise<void>
  counters(): Promise<LinkCounters>
}

const ANSWER_DEADLINE_MS = 60_000

/** Starts a link whose two devices appear in `netns`; the caller moves and configures them.
 * It ends with this process, or with the namespace's other processes. */
export async function startWanLink(netns: string, devices: [string, string], seed: number): Promise<WanLink> {
  const program = await linkProgram()
  const child = spawnIn(netns, [program, ...devices, String(seed)], { stdio: ['pipe', 'pipe', 'pipe'] })
  let complaint = ''
  child.stderr?.on('data', (text: Buffer) => (complaint += text.toString()))
  child.stdin?.on('error', () => undefined) // EPIPE after its end; the missing answer tells the caller

  const waiting: Array<(line: string) => void> = []
  if (!child.stdout) throw new Error('the WAN link has no standard output')
  createInterface({ input: child.stdout }).on('line', (line) => waiting.shift()?.(line))

  const answer = (to: string) =>
    new Promise<string>((resolve, reject) => {
      const fail = () =>
        reject(new Error(`the WAN link in ${netns} gave no answer to "${to}" ${complaint || '(it says nothing)'}`))
      if (child.exitCode !== null) return fail()
      const timer = setTimeout(fail, ANSWER_DEADLINE_MS)
      child.once('exit', fail)
      waiting.push((line) => {
        clearTimeout(timer)
        child.off('exit', fail)
        if (line.startsWith('error')) reject(new Error(`the WAN link refused "${to}": ${line}`))
        else resolve(line)
      })
    })
  const command = (line: string) => {
    const answered = answer(line)
    child.stdin?.write(`${line}\n`)
    return answered
  }

  await answer('its start')
  return {
    async set({ delayMs, loss }) {
      if (delayMs !== undefined) await command(`delay ${delayMs}`)
      if (loss !== undefined) await command(`loss ${loss}`)
    },
    async cut() {
      await command('cut')
    },
    async mend() {
      await command('mend')
    },
    async counters() {
      return parseCounters(await command('stats'))
    },
  }
}
