import { readFileSync } from 'node:fs'
import { deployImage } from '../../../agent/image/deploy.ts'
import { realClock } from '../../../agent/clock.ts'
import { createLog } from '../../../agent/log.ts'

/** The agent's write path alone. Argument: JSON of the disk and of what it shall become. */
const { disk, info } = JSON.parse(process.argv[2]!) as {
  disk: Parameters<typeof deployImage>[1]
  info: Parameters<typeof deployImage>[0]['image_info']
}
const log = createLog((line) => void process.stderr.write(line), realClock.now)
const means = {
  trust: { insecure: true },
  clock: realClock,
  log,
  seconds: 30,
  retries: 3,
  retryInterval: 1,
  imageKeys: [],
}
const [before, began] = [process.cpuUsage(), performance.now()]
await deployImage({ image_info: info }, disk, means, () => {})
const seconds = (performance.now() - began) / 1000
const { user, system } = process.cpuUsage(before)
// Not maxRSS, in which the program that started this one is counted with what it had then (getrusage(2), exec).
const peak = Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) * 1024
console.log(JSON.stringify({ seconds, peak, cpu: (user + system) / 1e6 }))
