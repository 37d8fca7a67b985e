import { beforeEach, describe, expect, it } from 'vitest'
import { listUsers } from './account.ts'
import { readBios } from './bios.ts'
import { setBoot } from './boot.ts'
import { connect, type Redfish } from './client.ts'
import { updateWays } from './firmware-push.ts'
import { readFirmware } from './firmware.ts'
import { readInventory } from './inventory.ts'
import { listLogs, readLog } from './log.ts'
import { readClock, resetManager } from './manager.ts'
import { readNtp } from './network-protocol.ts'
import { readPower, reset } from './power.ts'
import { readSensors } from './sensors.ts'
import { findSystem, type System } from './system.ts'
import { MANAGER, rackmount, SYSTEM } from './testing/rackmount.ts'
import { TransportFault } from './transport.ts'
import { insertMedia } from './virtual-media.ts'

let written: { method: string; path: string; body: unknown }[]
let bmc: Redfish
let system: System

beforeEach(async () => {
  written = []
  const options = { address: 'https://bmc.example', username: 'admin', password: 'secret', auth: 'basic' } as const
  bmc = await connect({
    ...options,
    timeoutMs: 30_000,
    transport: {
      async send({ method, path, body }) {
        if (method !== 'GET') {
          written.push({ method, path, body: typeof body === 'string' ? JSON.parse(body) : body })
          return { status: 204, headers: {}, body: Buffer.alloc(0) }
        }
        const found = rackmount[path.split('?')[0]!]
        return { status: found ? 200 : 404, headers: {}, body: Buffer.from(found ? JSON.stringify(found) : '') }
      },
      open: () => Promise.reject(new TransportFault('refused', 'nothing is streamed here')),
      close: () => undefined,
    },
  })
  system = await findSystem(bmc)
})

describe("a BMC of the shape of DMTF's mock-up of a rack server", () => {
  it('is no vendor’s, and tells what the machine is', async () => {
    expect(system.quirk.name).toBe('standard')
    expect(await readPower(bmc, system)).toBe('on')
    const inventory = await readInventory(bmc, system)
    expect(inventory).toMatchObject({
      memoryGiB: 64,
      trustedModules: ['TPM2_0'],
      biosVersion: 'P79 v1.45 (12/06/2017)',
    })
    expect(inventory.processors.map(({ type, threads }) => [type, threads])).toEqual([
      ['CPU', 16],
      ['FPGA', undefined],
    ])
    expect(inventory.nics.map(({ id, mac }) => [id, mac])).toEqual([
      ['A', '12:44:6a:3b:04:11'],
      ['B', 'aa:bb:cc:dd:ee:ff'],
    ])
  })

  it('tells readings by the newer schema, and leaves out those that are null', async () => {
    expect((await readSensors(bmc, system)).map(({ kind, value, units }) => [kind, value, units])).toEqual([
      ['temperature', 22.5, 'Cel'],
      ['other', 80, '%'],
      ['power', 374, 'W'],
      ['voltage', 119.27, 'V'],
    ])
  })

  it('tells logs, users, firmware, time and where it has it from', async () => {
    const [book] = await listLogs(bmc, system)
    expect(await readLog(bmc, book!)).toMatchObject([{ id: '1', severity: 'Warning', text: 'Fan 2 slow' }])
    expect(await listUsers(bmc)).toEqual(['admin'])
    expect(await readFirmware(bmc)).toMatchObject([{ id: 'BMC', version: '1.45.455b66-rev4' }])
    expect(await updateWays(bmc)).toEqual(['fetch', 'push'])
    expect(await readClock(bmc, system)).toBe('2015-03-13T04:14:33+06:00')
    expect(await readNtp(bmc, system)).toEqual({ enabled: true, servers: ['ntp.example'] })
    expect(await readBios(bmc, system)).toMatchObject({ attributes: { BootTimeout: 5 }, pending: {} })
  })

  it('is driven by the actions that it has', async () => {
    await reset(bmc, system, 'restart') // allowed values are in the action's info
    await setBoot(bmc, system, { target: 'Cd', enabled: 'Once', mode: 'UEFI' })
    await insertMedia(bmc, system, { type: 'CD', image: 'http://10.0.0.1/boot.iso' })
    await resetManager(bmc, system)
    expect(written).toEqual([
      { method: 'POST', path: `${SYSTEM}/Actions/ComputerSystem.Reset`, body: { ResetType: 'PowerCycle' } },
      { method: 'PATCH', path: SYSTEM, body: { Boot: { BootSourceOverrideTarget: 'Cd' } } },
      {
        method: 'POST',
        path: `${SYSTEM}/VirtualMedia/CD1/Actions/VirtualMedia.InsertMedia`,
        body: { Image: 'http://10.0.0.1/boot.iso', Inserted: true, WriteProtected: true },
      },
      { method: 'POST', path: `${MANAGER}/Actions/Manager.Reset`, body: { ResetType: 'GracefulRestart' } },
    ])
    await expect(setBoot(bmc, system, { target: 'UefiHttp', enabled: 'Once' })).rejects.toThrow(
      /can't boot from it; it has/,
    )
    await expect(reset(bmc, system, 'nmi')).rejects.toThrow(/reset can't do this; it has On, ForceOff/)
  })
})
