import { rmSync } from 'node:fs'
import { loadavg } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { setUps } from '../ironic/ironic.ts'
import { installOnDemand } from '../setup/on-demand.ts'
import { Measured, measure } from './api/measure.ts'
import { pageCosts } from './api/pages.ts'
import { OURS, type SystemName } from './api/systems.ts'
import { deployTable, requestTable } from './api/tables.ts'

const DIR = resolve(import.meta.dirname, `../../.cache/bench/api-${process.pid}`)
const USAGE = `usage: npm run bench -- api [requests] [deploys] [pages] [--peer ironic|none] [--seconds N] [--rounds N] [--nodes N,N]`
const PARTS = ['requests', 'deploys', 'pages']

/** The API of the standalone edition, writes durable, over loopback, beside Debian's Ironic; caller and servers share the processors. */
export async function bench(): Promise<void> {
  const { positionals, values } = parseArgs({
    args: process.argv.slice(3),
    allowPositionals: true,
    options: {
      peer: { type: 'string', default: 'ironic' },
      seconds: { type: 'string', default: '3' },
      rounds: { type: 'string', default: '1' },
      nodes: { type: 'string', default: '10,10000' },
    },
  })
  const unknown = positionals.filter((part) => !PARTS.includes(part))
  const [seconds, rounds] = [Number(values.seconds), Number(values.rounds)]
  const sizes = values.nodes.split(',').map(Number)
  if (
    unknown.length > 0 ||
    !['ironic', 'none'].includes(values.peer) ||
    ![seconds, rounds, ...sizes].every((each) => each > 0)
  )
    throw new Error(USAGE)
  const wants = (part: string): boolean => positionals.length === 0 || positionals.includes(part)
  const systems: SystemName[] = values.peer === 'ironic' ? [OURS, ...setUps] : [OURS]
  installOnDemand(['wrk'])
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
  say(`load before: ${loadavg()[0]?.toFixed(1)}\n`)
  try {
    const measured = new Measured()
    if (wants('requests') || wants('deploys'))
      for (let round = 0; round < rounds; round += 1)
        for (const nodes of sizes)
          for (const system of systems) {
            process.stderr.write(`round ${round + 1} of ${rounds}: ${system}, ${nodes} nodes\n`)
            const deploys = wants('deploys') && nodes === sizes[0]
            await measure(measured, {
              dir: join(DIR, 'run'),
              system,
              nodes,
              seconds,
              requests: wants('requests'),
              deploys,
            })
          }
    if (wants('requests')) say(requestTable(measured, sizes))
    if (wants('deploys')) say(deployTable(measured))
    if (wants('pages')) say(await pageCosts(join(DIR, 'pages')))
  } finally {
    rmSync(DIR, { recursive: true, force: true })
  }
  say(`load after: ${loadavg()[0]?.toFixed(1)}`)
}

function say(line: string): void {
  console.log(line)
}
