import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type RunningBmc, startBmc } from './server.ts'
import { freeipmi } from './testing/freeipmi.ts'
import { ipmitool } from './testing/ipmitool.ts'
import { paperChassis } from './testing/paper-chassis.ts'
import { paperInventory } from './testing/paper-inventory.ts'

const user = { name: 'admin', password: 'secret', privilege: 'administrator' } as const
const guid = Uint8Array.from({ length: 16 }, (_, at) => at)

/** Add SEL Entry (IPMI 2.0 §32.1): sensor 1, a temperature, goes above its upper critical threshold. */
const temperatureHigh = '0 0 2 0 0 0 0 0x41 0 4 1 1 1 0x59 0x2d 0x28'

let bmc: RunningBmc
let faults: unknown[]

beforeEach(async () => {
  faults = []
  const onError = (error: unknown): void => void faults.push(error)
  const options = { users: [user], chassis: paperChassis(), inventory: paperInventory(), guid, onError }
  bmc = await startBmc({ host: '127.0.0.1', port: 0, ...options })
})
afterEach(async () => {
  await bmc.close()
  expect(faults).toEqual([])
})

function tool(words: string, last?: string): Promise<string> {
  return ipmitool(bmc, user, [...words.split(' '), ...(last === undefined ? [] : [last])])
}

function free(program: string, words: string): Promise<string> {
  return freeipmi(program, bmc, user, ['-I', '17', ...words.split(' ').filter((word) => word !== '')])
}

describe('ipmitool', () => {
  test('reads the sensors, and says which can not be read', async () => {
    const list = await tool('sdr elist')
    expect(list).toMatch(/Inlet +\| 01h \| ok +\| +7\.1 \| 23\.50 degrees C/)
    expect(list).toMatch(/Fan 1 +\| 02h \| lcr +\| +7\.2 \| 5400 RPM/)
    expect(list).toMatch(/PSU 1 +\| 03h \| ok +\| +7\.3 \| Presence detected/)
    expect(list).toMatch(/12V +\| 04h \| ns +\| +7\.4 \| No Reading/)
  })

  test('adds to the event log, lists it, clears it, and sets its clock', async () => {
    await tool('sel time set', '07/04/31 10:20:30')
    expect(await tool('sel time get')).toMatch(/07\/04\/(20)?31 10:2/)
    await tool(`raw 0x0a 0x44 ${temperatureHigh}`)
    await tool(`raw 0x0a 0x44 ${temperatureHigh}`)
    expect(await tool('sel info')).toMatch(/Entries +: 2\nFree Space +: 8160 bytes/)
    expect(await tool('sel list')).toMatch(/1 \|.*10:2.*Temperature[^]*2 \|.*Temperature/)
    await tool('sel clear')
    expect(await tool('sel info')).toMatch(/Entries +: 0/)
  })

  test('reads the FRU, the power reading, the GUID and the self test', async () => {
    expect(await tool('fru print 0')).toMatch(/Chassis Serial +: C0001[^]*Board Mfg +: Acme[^]*Product Serial +: P0001/)
    expect(await tool('dcmi power reading')).toMatch(/Instantaneous power reading: +212 Watts[^]*205 Watts/)
    expect(await tool('mc guid')).toMatch(/GUID/)
    expect(await tool('mc selftest')).toMatch(/passed/)
  })

  test('resets the BMC, which forgets its sessions', async () => {
    expect(await tool('mc reset cold')).toMatch(/Sent cold reset/)
    expect(bmc.sessions()).toEqual({ pending: 0, active: 0 })
  })
})

describe('freeipmi', () => {
  test('reads the sensors, and says which can not be read', async () => {
    const list = await free('ipmi-sensors', '--verbose')
    expect(list).toMatch(/ID String: Inlet[^]*Sensor Reading: 23\.5\d* C[^]*Fan 1[^]*Sensor Reading: 5400\.0* RPM/)
    expect(list).toMatch(/PSU 1[^]*Presence detected[^]*ID String: 12V[^]*Sensor Reading: N\/A/)
  })

  test('lists the event log and clears it', async () => {
    await tool(`raw 0x0a 0x44 ${temperatureHigh}`)
    expect(await free('ipmi-sel', '--ignore-sdr-cache')).toMatch(/Temperature/)
    await free('ipmi-sel', '--clear')
    expect(await free('ipmi-sel', '--info')).toMatch(/Number of log entries +: 0/)
  })

  test('reads the FRU, the power reading and who the BMC is', async () => {
    expect(await free('ipmi-fru', '')).toMatch(/Chassis Serial Number: C0001[^]*Board X[^]*Asset Tag: tag-7/)
    expect(await free('ipmi-dcmi', '--get-system-power-statistics')).toMatch(/Current Power +: 212 Watts/)
    expect(await free('bmc-info', '--get-device-id')).toMatch(/SDR Repository Device : supported/)
    expect(await free('bmc-info', '--get-device-guid')).toMatch('0f0e0d0c-0b0a-0908-0706-050403020100')
  })

  test('sends raw bytes, and asks for power', async () => {
    expect(await free('ipmi-raw', '0 6 4')).toMatch('04 00 55 00')
    expect(await free('ipmipower', '--stat')).toMatch('off')
  })
})
