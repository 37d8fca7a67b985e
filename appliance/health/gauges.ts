import { rank, type HealthLevel, type SensorKind } from '../../contract/health.ts'
import type { Metrics, Sample } from '../metrics.ts'
import type { Look } from './look.ts'

export interface HealthGauges {
  looked(result: 'done' | 'failed', seconds: number): void
  /** `health`: undefined where it is as it was. */
  found(node: string, of: { name: string | null; look: Look; health: HealthLevel | undefined }): void
  /** All others are gone. */
  keep(nodes: readonly string[]): void
}

export interface HealthLimits {
  /** Of one machine; temperatures come first. */
  sensors: number
  /** Of all machines together. */
  series: number
}

const families = {
  temperature: 'bloomery_sensor_celsius',
  power: 'bloomery_sensor_watts',
  fan: 'bloomery_sensor_fan_speed',
  voltage: 'bloomery_sensor_volts',
  current: 'bloomery_sensor_amperes',
} as const satisfies Partial<Record<SensorKind, string>>
type Shown = keyof typeof families
const order = Object.keys(families) as Shown[]

interface OfNode {
  name: string
  health: HealthLevel | undefined
  watts: number | null
  sensors: ReadonlyArray<{ kind: Shown; name: string; unit: string; value: number }>
}

/** What the last look at each machine found, for Prometheus. Sensors are as many as BMCs have, so their number is bounded. */
export function openHealthGauges(metrics: Metrics, limits: HealthLimits): HealthGauges {
  const nodes = new Map<string, OfNode>()
  let series = 0
  for (const kind of order) metrics.samples(families[kind], () => sensorSamples(kind))
  metrics.samples('bloomery_node_watts', () => perNode(({ watts }) => watts ?? undefined))
  metrics.samples('bloomery_node_health', () => perNode(({ health }) => health && rank(health)))

  function* sensorSamples(kind: Shown): Iterable<Sample> {
    for (const [node, { name, sensors }] of nodes)
      for (const each of sensors)
        if (each.kind === kind)
          yield [{ node, name, sensor: each.name, ...(kind === 'fan' && { unit: each.unit }) }, each.value]
  }

  function* perNode(valueOf: (of: OfNode) => number | undefined): Iterable<Sample> {
    for (const [node, of] of nodes) {
      const value = valueOf(of)
      if (value !== undefined) yield [{ node, name: of.name }, value]
    }
  }

  const drop = (node: string): void => {
    series -= nodes.get(node)?.sensors.length ?? 0
    nodes.delete(node)
  }

  return {
    looked(result, seconds) {
      metrics.count('bloomery_bmc_looks_total', { result })
      metrics.observe('bloomery_bmc_look_seconds', seconds)
    },
    found(node, { name, look, health }) {
      const before = nodes.get(node)
      drop(node)
      const all = sensorsOf(look).slice(0, Math.min(limits.sensors, limits.series - series))
      series += all.length
      const left = look.readings.filter(({ kind, value }) => kind in families && value !== null).length - all.length
      if (left > 0) metrics.count('bloomery_sensors_left_out_total', {}, left)
      nodes.set(node, { name: name ?? node, health: health ?? before?.health, watts: look.watts, sensors: all })
    },
    keep(present) {
      const here = new Set(present)
      for (const node of nodes.keys()) if (!here.has(node)) drop(node)
    },
  }
}

/** One for each name of a kind: Prometheus takes no series twice. */
function sensorsOf({ readings }: Look): OfNode['sensors'] {
  const taken = new Set<string>()
  return order.flatMap((kind) =>
    readings.flatMap(({ kind: of, value, name, unit }) => {
      if (of !== kind || value === null || taken.has(`${kind} ${name}`)) return []
      taken.add(`${kind} ${name}`)
      return [{ kind, name, unit: unit === '%' ? 'percent' : unit.toLowerCase(), value }]
    }),
  )
}
