import { describe, expect, it } from 'vitest'
import type { SensorReading } from '../../contract/health.ts'
import { openMetrics } from '../metrics.ts'
import { exposition } from '../testing/exposition.ts'
import { openHealthGauges } from './gauges.ts'
import type { Look } from './look.ts'

const sensor = (name: string, kind: SensorReading['kind'], value: number | null, unit = ''): SensorReading => ({
  name,
  kind,
  value,
  unit,
  level: 'OK',
})
const look = (readings: SensorReading[], watts: number | null = null): Look => ({
  readings,
  watts,
  ailments: [],
  log: { entries: [], erased: false },
  kept: '',
})

function opened(limits = { sensors: 4, series: 100 }) {
  const metrics = openMetrics()
  return { gauges: openHealthGauges(metrics, limits), read: () => exposition(metrics.text()) }
}

describe('Prometheus', () => {
  it('reads what the last look at each machine found', () => {
    const { gauges, read } = opened()
    const readings = [
      sensor('Inlet', 'temperature', 21.5),
      sensor('Fan "1"\\', 'fan', 40, '%'),
      sensor('PSU', 'state', null),
      sensor('Exhaust', 'temperature', null),
    ]
    gauges.found('a', { name: 'n1', look: look(readings, 212), health: 'Warning' })
    gauges.found('a', { name: 'n1', look: look(readings, 213), health: undefined })
    gauges.looked('done', 0.4)
    const families = read()
    const of = { node: 'a', name: 'n1' }
    expect(families.get('bloomery_sensor_celsius')?.samples).toEqual([
      ['bloomery_sensor_celsius', { ...of, sensor: 'Inlet' }, 21.5],
    ])
    expect(families.get('bloomery_sensor_fan_speed')?.samples).toEqual([
      ['bloomery_sensor_fan_speed', { ...of, sensor: 'Fan "1"\\', unit: 'percent' }, 40],
    ])
    expect(families.get('bloomery_node_watts')?.samples).toEqual([['bloomery_node_watts', of, 213]])
    expect(families.get('bloomery_node_health')?.samples).toEqual([['bloomery_node_health', of, 1]])
    expect(families.get('bloomery_bmc_look_seconds')?.type).toBe('histogram')
  })

  it('sees so many sensors of one machine and of all, temperatures before the others, and is told of the rest', () => {
    const { gauges, read } = opened({ sensors: 3, series: 5 })
    const fans = Array.from({ length: 4 }, (_, index) => sensor(`Fan ${index}`, 'fan', 1))
    for (const node of ['a', 'b', 'c'])
      gauges.found(node, { name: null, look: look([...fans, sensor('Inlet', 'temperature', 20)]), health: 'OK' })
    const families = read()
    const shown = (name: string) => families.get(name)?.samples.length ?? 0
    expect([shown('bloomery_sensor_celsius'), shown('bloomery_sensor_fan_speed')]).toEqual([2, 3])
    expect(families.get('bloomery_sensors_left_out_total')?.samples[0]?.[2]).toBe(10)
  })

  it('takes no series twice: of sensors of one name the first is shown', () => {
    const { gauges, read } = opened()
    const twins = [sensor('Temp', 'temperature', 20), sensor('Temp', 'temperature', 30)]
    gauges.found('a', { name: null, look: look(twins), health: 'OK' })
    expect(
      read()
        .get('bloomery_sensor_celsius')
        ?.samples.map(([, , value]) => value),
    ).toEqual([20])
  })

  it('forgets machines that are gone', () => {
    const { gauges, read } = opened({ sensors: 3, series: 1 })
    gauges.found('a', { name: null, look: look([sensor('Inlet', 'temperature', 20)]), health: 'OK' })
    gauges.keep([])
    gauges.found('b', { name: null, look: look([sensor('Inlet', 'temperature', 25)]), health: 'OK' })
    expect(read().get('bloomery_sensor_celsius')?.samples).toMatchObject([[expect.anything(), { node: 'b' }, 25]])
  })
})
