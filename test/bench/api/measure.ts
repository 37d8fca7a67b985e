import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { deploysPerMinute } from './deploys.ts'
import { mebibytes } from './memory.ts'
import { type SystemName, startSystem } from './systems.ts'
import { type Kind, kinds, type Rate, rate } from './wrk.ts'

export const CONNECTIONS = [1, 16]
const WARM_SECONDS = 1
const DEPLOY_MS = 15_000

interface Point {
  system: SystemName
  nodes: number
  kind: Kind
  connections: number
  rate: Rate
}

/** All figures of a run; of several rounds, the median by requests a second. */
export class Measured {
  readonly #points: Point[] = []
  readonly deploys: Array<{ system: SystemName; atOnce: number; perMinute: number }> = []
  readonly memory: Array<{ system: SystemName; nodes: number; mebibytes: number }> = []

  add(point: Point): void {
    this.#points.push(point)
  }

  get systems(): SystemName[] {
    return [...new Set([...this.memory].map(({ system }) => system))]
  }

  rate(system: SystemName, nodes: number, kind: Kind, connections: number): Rate | undefined {
    const found = this.#points.filter(
      (each) =>
        each.system === system && each.nodes === nodes && each.kind === kind && each.connections === connections,
    )
    const ordered = found.map((each) => each.rate).toSorted((a, b) => a.perSecond - b.perSecond)
    return ordered[ordered.length >> 1]
  }

  deployRate(system: SystemName, atOnce: number): number | undefined {
    const found = this.deploys.filter((each) => each.system === system && each.atOnce === atOnce)
    const ordered = found.map(({ perMinute }) => perMinute).toSorted((a, b) => a - b)
    return ordered[ordered.length >> 1]
  }

  mostMemory(system: SystemName): number {
    return Math.max(...this.memory.filter((each) => each.system === system).map((each) => each.mebibytes))
  }
}

export interface Course {
  dir: string
  system: SystemName
  nodes: number
  seconds: number
  requests: boolean
  deploys: boolean
}

/** One system alone on the machine, from its start to its end. */
export async function measure(measured: Measured, course: Course): Promise<void> {
  const { dir, system: name, nodes, seconds } = course
  const system = await startSystem(name, dir, nodes)
  try {
    mkdirSync(dir, { recursive: true })
    const uuids = join(dir, 'uuids')
    writeFileSync(uuids, `${system.uuids.join('\n')}\n`)
    if (course.requests)
      for (const connections of CONNECTIONS)
        for (const kind of kinds) {
          await rate(system.endpoint, kind, connections, WARM_SECONDS, uuids)
          const found = await rate(system.endpoint, kind, connections, seconds, uuids)
          measured.add({ system: name, nodes, kind, connections, rate: found })
        }
    if (course.deploys)
      for (const atOnce of CONNECTIONS)
        measured.deploys.push({
          system: name,
          atOnce,
          perMinute: await deploysPerMinute(system.endpoint, atOnce, DEPLOY_MS),
        })
    measured.memory.push({ system: name, nodes, mebibytes: mebibytes(system.pids) })
  } finally {
    await system.stop()
  }
}
