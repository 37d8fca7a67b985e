import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { changePassword } from './account.ts'
import { connect, type Redfish } from './client.ts'
import { parseEvents } from './event.ts'
import { listSubscriptions, renewSubscription, subscribe, unsubscribe } from './event-subscription.ts'
import { readFirmware, updateFirmware } from './firmware.ts'
import { readInventory } from './inventory.ts'
import { clearLog, listLogs, readLog } from './log.ts'
import { readSensors } from './sensors.ts'
import { type RunningRedfish, startRedfish } from './server.ts'
import { dialects } from './service/dialect.ts'
import { createVolume, deleteVolume, readStorage } from './storage.ts'
import { findSystem, type System } from './system.ts'
import { paperMachine } from './testing/paper-machine.ts'

/** Stands still until a test has seen what it waits for. */
let frozen: number | undefined
/** Tasks take seconds; both sides of the wire have the same quick clock. */
const quick = {
  now: () => frozen ?? performance.now() * 100,
  after: (ms: number, run: () => void) => {
    const timer = setTimeout(run, ms / 100)
    return () => clearTimeout(timer)
  },
}
const user = { name: 'admin', password: 'paper-secret' }
let server: RunningRedfish
let bmc: Redfish
let system: System

// One that expands collections and one that doesn't.
describe.each(dialects.slice(0, 3).filter(({ name }) => name !== 'dell'))('a BMC that speaks as $name', (dialect) => {
  beforeEach(async () => {
    const onError = (error: unknown): never => {
      throw error
    }
    server = await startRedfish({
      host: '127.0.0.1',
      port: 0,
      users: [user],
      machine: paperMachine(),
      dialect,
      clock: quick,
      onError,
    })
    const login = { username: 'admin', password: 'paper-secret', timeoutMs: 5_000_000, clock: quick }
    bmc = await connect({ address: server.url, ...login })
    system = await findSystem(bmc)
  })
  afterEach(async () => {
    frozen = undefined
    await bmc.close()
    await server.close()
  })

  it('tells what the machine is made of', async () => {
    const inventory = await readInventory(bmc, system)
    expect(inventory).toMatchObject({
      manufacturer: dialect.manufacturer,
      memoryGiB: 64,
      health: 'OK',
      biosVersion: '2.0.0',
    })
    expect(inventory.nics.map(({ mac }) => mac)).toEqual(['52:54:00:00:00:01', '52:54:00:00:00:02'])
    expect(inventory.processors).toHaveLength(2)
    expect(inventory.processors[0]).toMatchObject({ type: 'CPU', architecture: 'x86-64', cores: 4 })
  })

  it('makes a volume of its drives and deletes it', async () => {
    const [controller] = await readStorage(bmc, system)
    expect(controller?.drives).toMatchObject([{ name: 'Bay1', capacityBytes: 480e9, media: 'SSD' }, { name: 'Bay2' }])
    const drives = controller!.drives.map(({ path }) => path)
    await createVolume(bmc, controller!.path, { name: 'root', raid: 'RAID1', drives })
    const [volume] = (await readStorage(bmc, system))[0]!.volumes
    expect(volume).toMatchObject({ name: 'root', raid: 'RAID1', capacityBytes: 480e9, drives })
    await expect(createVolume(bmc, controller!.path, { raid: 'RAID1', drives })).rejects.toThrow(
      /create volume \(RAID1\): HTTP 409/,
    )
    await deleteVolume(bmc, volume!.path)
    expect((await readStorage(bmc, system))[0]!.volumes).toEqual([])
  })

  it('updates its firmware and tells how far it is', async () => {
    const bios = (await readFirmware(bmc)).find(({ id }) => id === 'BIOS')
    const told: number[] = []
    frozen = quick.now()
    const outcome = await updateFirmware(bmc, {
      image: 'http://10.0.0.1/bios-2.1.0.bin',
      targets: [bios!.path],
      onProgress(percent) {
        told.push(percent)
        frozen = undefined
      },
    })
    expect(outcome.state).toBe('completed')
    expect(told.at(-1)).toBe(100)
    // How often it is asked meanwhile is the machine's load to say.
    expect(told).toEqual(told.toSorted((a, b) => a - b))
    expect((await readFirmware(bmc)).map(({ version }) => version)).toEqual(['1.0.0', '2.1.0'])
  })

  it('reads sensors and logs', async () => {
    expect(await readSensors(bmc, system)).toEqual([
      { name: 'Inlet', kind: 'temperature', value: 21, units: 'Cel', health: 'OK' },
      { name: 'Fan 1', kind: 'fan', value: 4200, units: 'RPM', health: 'OK' },
      { name: 'Server', kind: 'power', value: 9, units: 'W', health: 'OK' },
    ])
    server.state.log.push({ id: '1', at: '2026-01-01T00:00:00Z', text: 'Power supply 1 lost input' })
    const [book] = await listLogs(bmc, system)
    expect(await readLog(bmc, book!)).toEqual([
      { id: '1', at: '2026-01-01T00:00:00Z', severity: 'OK', text: 'Power supply 1 lost input' },
    ])
    await clearLog(bmc, book!)
    expect(await readLog(bmc, book!)).toEqual([])
  })

  it('is subscribed to for events, once, and unsubscribed from', async () => {
    const wish = { destination: 'https://10.0.0.1/events', context: 'node-1' }
    const made = await subscribe(bmc, wish)
    expect([...server.state.subscriptions.values()]).toMatchObject([{ ...wish, suspended: false }])
    expect(await renewSubscription(bmc, wish)).toEqual(made)
    for (const each of server.state.subscriptions.values()) each.suspended = true
    const resumed = await renewSubscription(bmc, wish)
    expect([...server.state.subscriptions.values()]).toMatchObject([{ ...wish, suspended: false }])
    expect(await listSubscriptions(bmc)).toEqual([resumed])
    await subscribe(bmc, { ...wish, destination: 'https://10.0.0.9/where-we-were' })
    await renewSubscription(bmc, wish)
    expect([...server.state.subscriptions.values()]).toMatchObject([{ ...wish, suspended: false }])
    await unsubscribe(bmc, resumed)
    await unsubscribe(bmc, resumed)
    expect(await listSubscriptions(bmc)).toEqual([])
  })

  it('takes a new password, and does not tell one that it refuses', async () => {
    await changePassword(bmc, 'admin', 'another-secret')
    const again = await connect({
      address: server.url,
      username: 'admin',
      password: 'another-secret',
      timeoutMs: 50_000,
    })
    await findSystem(again)
    await again.close()
    await expect(changePassword(bmc, 'admin', 'short')).rejects.toThrow(
      /HTTP 400, "PropertyValueFormatError: \*{6}, Password"/,
    )
    await expect(changePassword(bmc, 'nobody', 'another-secret')).rejects.toThrow(/no such account/)
  })
})

it('what a BMC sends as events is read as far as it is events', () => {
  const power = {
    MessageId: 'ResourceEvent.1.2.ResourcePoweredOff',
    Message: 'Off',
    OriginOfCondition: { '@odata.id': '/redfish/v1/Systems/1' },
  }
  expect(parseEvents({ Context: 'node-1', Events: [power, 7, { Message: 'no id' }] })).toEqual({
    context: 'node-1',
    events: [
      {
        id: 'ResourcePoweredOff',
        messageId: 'ResourceEvent.1.2.ResourcePoweredOff',
        args: [],
        text: 'Off',
        severity: undefined,
        at: undefined,
        origin: '/redfish/v1/Systems/1',
      },
    ],
  })
  for (const rubbish of [null, [], 'x', {}, { Events: 7 }, { Events: [{}] }])
    expect(parseEvents(rubbish)).toBeUndefined()
})
