import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Redfish } from './client.ts'
import { connect } from './client.ts'
import { RedfishError, RequestRefused } from './error.ts'
import { readHealth } from './health.ts'
import type { JsonObject } from './json.ts'
import { standard } from './quirk.ts'
import { type RunningRedfish, startRedfish } from './server.ts'
import type { Vitals } from './service/machine.ts'
import { findSystem, type System } from './system.ts'
import { paperMachine } from './testing/paper-machine.ts'

describe('a machine of the older schemas', () => {
  let vitals: Vitals
  let server: RunningRedfish
  let bmc: Redfish
  let system: System
  beforeEach(async () => {
    vitals = {}
    const machine = Object.assign(paperMachine(), { vitals })
    const onError = (error: unknown): never => {
      throw error
    }
    const user = { name: 'admin', password: 'paper-secret' }
    server = await startRedfish({ host: '127.0.0.1', port: 0, users: [user], machine, onError })
    bmc = await connect({ address: server.url, username: 'admin', password: 'paper-secret', timeoutMs: 30_000 })
    system = await findSystem(bmc)
  })
  afterEach(async () => {
    await bmc.close()
    await server.close()
  })

  it('that is well shows its readings and supplies, and nothing wrong', async () => {
    const { measured, parts, drives = [] } = await readHealth(bmc, system, true)
    expect(measured.map(({ kind, value }) => [kind, value])).toEqual([
      ['temperature', 21],
      ['fan', 4200],
      ['power', 9],
    ])
    expect([...measured, ...parts, ...drives].filter(({ health }) => health !== 'OK')).toEqual([])
    expect([...parts, ...drives].map(({ what }) => what)).toEqual(['power supply', 'drive', 'drive'])
  })

  it('is critical above its threshold, though the BMC calls it OK', async () => {
    vitals.inletCelsius = 46
    const { measured } = await readHealth(bmc, system, false)
    expect(measured[0]).toMatchObject({
      health: 'Critical',
      beyond: { limit: 'at or above its upper critical threshold', value: 45 },
    })
  })

  it('has lost the input of its supply, and a drive is about to fail', async () => {
    Object.assign(vitals, { inputLost: true, failingDrive: 'Bay2' })
    const { parts, drives = [] } = await readHealth(bmc, system, true)
    expect([...parts, ...drives].filter(({ health }) => health !== 'OK')).toEqual([
      { what: 'power supply', name: 'PSU 1', health: 'Critical', trouble: 'has lost its input' },
      { what: 'drive', name: 'Bay2', health: 'Warning', trouble: 'predicted to fail' },
    ])
    expect((await readHealth(bmc, system, false)).drives).toBeUndefined()
  })
})

/** A BMC that is nothing but these resources. */
function made(resources: Record<string, JsonObject>): Redfish {
  const subject = (operation: string) => ({ host: 'bmc', operation })
  return {
    host: 'bmc',
    root: { path: '/redfish/v1/', body: {}, etag: undefined },
    subject,
    async get(path: string, operation: string) {
      const body = resources[path]
      if (!body) throw new RequestRefused(subject(operation), 404, [], [])
      return { path, body, etag: undefined }
    },
  } as unknown as Redfish
}
const at = (path: string) => ({ '@odata.id': path })
const machine: System = { path: '/s', quirk: standard }

describe('a machine of the newer schemas', () => {
  const resources: Record<string, JsonObject> = {
    '/s': { Links: { Chassis: [at('/c')] }, Status: { HealthRollup: 'Warning' } },
    '/c': { Sensors: at('/c/Sensors'), PowerSubsystem: at('/c/Power') },
    '/c/Sensors': { Members: [at('/t'), at('/gone'), at('/v')] },
    '/t': {
      Name: 'CPU 1',
      ReadingType: 'Temperature',
      Reading: 84,
      ReadingUnits: 'Cel',
      Thresholds: { UpperCaution: { Reading: 80 }, UpperCritical: { Reading: 90 } },
    },
    '/gone': { Name: 'CPU 2', Status: { State: 'Absent', Health: 'Critical' } },
    '/v': {
      Name: '12V',
      ReadingType: 'Voltage',
      Reading: 12,
      ReadingUnits: 'V',
      Thresholds: { LowerFatal: { Reading: 0 } },
    },
    '/c/Power': { PowerSupplies: at('/c/Power/Supplies') },
    '/c/Power/Supplies': { Members: [at('/p1'), at('/p2')] },
    '/p1': { Name: 'PSU 1', Status: { State: 'Enabled', Health: 'OK' } },
    '/p2': { Name: 'PSU 2', Status: { State: 'Absent', Health: null } },
  }

  it('is read by its sensors and power subsystem; what is absent is not ill', async () => {
    const { measured, parts } = await readHealth(made(resources), machine, false)
    expect(measured.map(({ name, health, beyond }) => [name, health, beyond?.limit])).toEqual([
      ['CPU 1', 'Warning', 'at or above its upper caution threshold'],
      ['12V', 'OK', undefined],
    ])
    expect(parts).toEqual([{ what: 'power supply', name: 'PSU 1', health: 'OK', trouble: undefined }])
  })

  it('that is ill as a whole, and doesn’t say of what, is told as that', async () => {
    const bare = { '/s': { Status: { Health: 'Critical' }, Storage: at('/nowhere') } }
    expect(await readHealth(made(bare), machine, false)).toEqual({
      measured: [],
      drives: [],
      parts: [{ what: 'system', name: 'as a whole', health: 'Critical', trouble: undefined }],
    })
  })

  it('whatever its values are, is read without harm', async () => {
    const odd = {
      '/s': { Links: { Chassis: [7, at('/c'), null] }, Status: 'fine' },
      '/c': { Thermal: at('/t'), Power: 3 },
      '/t': { Temperatures: [null, 5, { ReadingCelsius: 'hot', Status: { Health: 'Awful' } }], Fans: 'none' },
    }
    expect((await readHealth(made(odd), machine, true)).measured).toMatchObject([
      { name: 'temperature', health: 'OK', value: undefined },
    ])
  })
})

it('whatever a BMC answers, health is read or there is an error of this library', async () => {
  const path = fc.constantFrom('/s', '/c', '/t', '/p', '/d', '/nowhere')
  const leaf = fc.oneof(path.map(at), fc.jsonValue(), fc.constantFrom('OK', 'Critical', 'Absent', 0, -1, 1e300))
  const keys =
    'Status Health State Links Chassis Thermal Power Sensors Storage Drives Members PowerSupplies Temperatures Fans Reading ReadingCelsius Name UpperThresholdCritical Thresholds LineInputVoltage FailurePredicted'
  const key = fc.constantFrom(...keys.split(' '))
  const body = fc.dictionary(key, fc.oneof(leaf, fc.array(leaf, { maxLength: 3 }), fc.dictionary(key, leaf)))
  await fc.assert(
    fc.asyncProperty(fc.dictionary(path, body), fc.boolean(), async (resources, deep) => {
      const found = await readHealth(made(resources as Record<string, JsonObject>), machine, deep).catch(
        (error: unknown) => error,
      )
      if (found instanceof Error) expect(found).toBeInstanceOf(RedfishError)
    }),
    { numRuns: 300 },
  )
})
