import { CONNECTIONS, type Measured } from './measure.ts'
import { OURS, type SystemName } from './systems.ts'
import { kinds } from './wrk.ts'

/** What was measured, as tables for docs/benchmarks.md: Ironic in the set-up that was the best at each. */

export function requestTable(measured: Measured, sizes: readonly number[]): string {
  const rows = sizes.flatMap((nodes) =>
    CONNECTIONS.flatMap((connections) =>
      kinds.map((kind) => {
        const ours = measured.rate(OURS, nodes, kind, connections)
        const theirs = peers(measured).map((system) => ({
          system,
          rate: measured.rate(system, nodes, kind, connections),
        }))
        const best = theirs.toSorted((a, b) => (b.rate?.perSecond ?? 0) - (a.rate?.perSecond ?? 0))[0]
        const figures = [ours, best?.rate].flatMap((rate) => [whole(rate?.perSecond), fine(rate?.p50), fine(rate?.p99)])
        const refused = best?.rate && best.rate.refused > 0.005 ? ` (${whole(best.rate.refused * 100)} % refused)` : ''
        const ratio = times(ours?.perSecond, best?.rate?.perSecond)
        return [kind, whole(nodes), String(connections), ...figures, `${best?.system ?? ''}${refused}`, ratio]
      }),
    ),
  )
  const head = 'request,nodes,connections,ours /s,p50 ms,p99 ms,Ironic /s,p50 ms,p99 ms,its set-up,ratio'.split(',')
  return `${table(head, rows)}\n${memory(measured)}`
}

export function deployTable(measured: Measured): string {
  const rows = CONNECTIONS.map((atOnce) => {
    const ours = measured.deployRate(OURS, atOnce)
    const theirs = peers(measured).map((system) => ({ system, rate: measured.deployRate(system, atOnce) ?? 0 }))
    const best = theirs.toSorted((a, b) => b.rate - a.rate)[0]
    return [String(atOnce), whole(ours), whole(best?.rate), best?.system ?? '', times(ours, best?.rate)]
  })
  const head = 'deploys at once,ours a minute,Ironic a minute,its set-up,ratio'.split(',')
  return `${table(head, rows)}\n${memory(measured)}`
}

function memory(measured: Measured): string {
  const told = measured.systems.map((system) => `${system} ${whole(measured.mostMemory(system))} MiB`)
  return `Resident at the end, all processes, at the most: ${told.join(', ')}.\n`
}

const peers = (measured: Measured): SystemName[] => measured.systems.filter((system) => system !== OURS)
const whole = (value: number | undefined): string => (value === undefined ? '–' : Math.round(value).toString())
const fine = (value: number | undefined): string =>
  value === undefined || Number.isNaN(value) ? '–' : value.toFixed(value < 10 ? 2 : 0)
const times = (ours: number | undefined, theirs: number | undefined): string =>
  ours === undefined || !theirs ? '–' : `${(ours / theirs).toFixed(1)}×`

function table(head: string[], rows: string[][]): string {
  const widths = head.map((title, at) => Math.max(title.length, ...rows.map((row) => row[at]?.length ?? 0)))
  const line = (cells: string[]): string => `| ${cells.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(' | ')} |`
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n')
}
