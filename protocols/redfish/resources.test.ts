import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { enableBootOption, readBootOrder, setBootOrder } from './boot-option.ts'
import { connect, type Redfish } from './client.ts'
import { pushFirmware, updateWays } from './firmware-push.ts'
import { readFirmware } from './firmware.ts'
import { listLogs, readLog } from './log.ts'
import { MessageRegistries } from './message-registry.ts'
import { readNtp, setNtp } from './network-protocol.ts'
import { readSecureBoot, resetSecureBootKeys } from './secure-boot.ts'
import { enrolSecureBootKeys, readSecureBootKeys } from './secure-boot-keys.ts'
import { readSensors } from './sensors.ts'
import { type RunningRedfish, startRedfish } from './server.ts'
import { dialects } from './service/dialect.ts'
import { findSystem, type System } from './system.ts'
import { paperMachine } from './testing/paper-machine.ts'

const quick = {
  now: () => performance.now() * 100,
  after: (ms: number, run: () => void) => {
    const timer = setTimeout(run, ms / 100)
    return () => clearTimeout(timer)
  },
}
let server: RunningRedfish
let bmc: Redfish
let system: System

async function start(name: string): Promise<void> {
  const onError = (error: unknown): never => {
    throw error
  }
  const users = [{ name: 'admin', password: 'paper-secret' }]
  const dialect = dialects.find((each) => each.name === name)!
  server = await startRedfish({
    host: '127.0.0.1',
    port: 0,
    users,
    machine: paperMachine(),
    dialect,
    clock: quick,
    onError,
  })
  const login = { username: 'admin', password: 'paper-secret', timeoutMs: 5_000_000, clock: quick }
  bmc = await connect({ address: server.url, ...login })
  system = await findSystem(bmc)
}
afterEach(async () => {
  await bmc.close()
  await server.close()
})

// One that expands collections, one that tells them page by page, one that does neither.
describe.each(['standard', 'supermicro', 'hpe'])('a BMC that speaks as %s', (name) => {
  beforeEach(() => start(name))

  it('tells and takes the boot order', async () => {
    const { order, options } = await readBootOrder(bmc, system)
    expect(order).toEqual(['Boot0001', 'Boot0002', 'Boot0003'])
    expect(options.map(({ reference, enabled }) => [reference, enabled])).toEqual([
      ['Boot0001', true],
      ['Boot0002', true],
      ['Boot0003', false],
    ])
    await setBootOrder(bmc, system, ['Boot0002', 'Boot0001', 'Boot0003'])
    await enableBootOption(bmc, options[2]!, true)
    const after = await readBootOrder(bmc, system)
    expect(after.order).toEqual(['Boot0002', 'Boot0001', 'Boot0003'])
    expect(after.options[2]!.enabled).toBe(true)
    await expect(setBootOrder(bmc, system, ['Boot0009'])).rejects.toThrow(
      /has no boot option Boot0009; it has Boot0002/,
    )
  })

  it('has its time from where it is told', async () => {
    await setNtp(bmc, system, ['10.0.0.1', 'ntp.example'])
    expect(await readNtp(bmc, system)).toEqual({ enabled: true, servers: ['10.0.0.1', 'ntp.example'] })
    await setNtp(bmc, system, [])
    expect(await readNtp(bmc, system)).toMatchObject({ enabled: false })
  })

  it('tells log entries without words in those of its registry', async () => {
    const args = ['Fan 3', 'Wear']
    server.state.log.push({
      id: '1',
      at: '2026-01-01T00:00:00Z',
      messageId: 'ResourceEvent.1.0.ResourceErrorsDetected',
      args,
    })
    server.state.log.push({ id: '2', at: '2026-01-01T00:00:00Z', messageId: 'Vendor.1.0.Unknown' })
    const [book] = await listLogs(bmc, system)
    expect((await readLog(bmc, book!)).map(({ text }) => text)).toEqual([
      'The resource property `Fan 3` has detected errors of type `Wear`',
      'Vendor.1.0.Unknown',
    ])
  })

  it('says what a message means and what to do about it', async () => {
    const registries = new MessageRegistries(bmc)
    expect(await registries.meaning('ResourceEvent.1.2.1.ResourceErrorsDetected', ['a', 'b'])).toEqual({
      text: 'The resource property `a` has detected errors of type `b`',
      severity: 'Warning',
      resolution: 'See vendor documentation for what to replace',
    })
    expect(await registries.meaning('ResourceEvent.1.2.1.ResourcePoweredOn', ['s'])).toMatchObject({
      resolution: undefined,
    })
    expect(await registries.meaning('ResourceEvent.2.0.ResourcePoweredOn')).toBeUndefined()
    expect(await registries.meaning('no message id')).toBeUndefined()
  })

  it('takes hashes of what must not boot, once each', async () => {
    const wish = { database: 'dbx', hashes: ['AB'.repeat(32), 'cd'.repeat(32)] } as const
    await enrolSecureBootKeys(bmc, system, [wish])
    await enrolSecureBootKeys(bmc, system, [{ ...wish, hashes: ['ab'.repeat(32)] }])
    const held = await readSecureBootKeys(bmc, system)
    expect(held.find(({ database }) => database === 'dbx')?.hashes).toHaveLength(2)
    await resetSecureBootKeys(bmc, system, 'DeleteAllKeys')
    expect(await readSecureBoot(bmc, system)).toMatchObject({ mode: 'SetupMode' })
    expect((await readSecureBootKeys(bmc, system)).flatMap(({ hashes }) => hashes)).toEqual([])
  })
})

describe('firmware that is pushed', () => {
  const image = {
    size: 3 * 65_536,
    async *read() {
      for (let left = 3; left > 0; left -= 1) yield Buffer.alloc(65_536, 'version 4.5.6 ')
    },
  }

  it.each([
    ['standard', ['fetch', 'multipart', 'push']],
    ['dell', ['multipart', 'push']],
    ['openbmc', ['multipart']],
  ] as const)('as %s is taken by its target, and followed to its end', async (name, ways) => {
    await start(name)
    expect(await updateWays(bmc)).toEqual(ways)
    const bios = (await readFirmware(bmc)).find(({ id }) => id === 'BIOS')!
    const told: number[] = []
    const outcome = await pushFirmware(bmc, {
      image,
      name: 'bios-4.5.6.bin',
      targets: [bios.path],
      onProgress: (percent) => told.push(percent),
    })
    expect(outcome.state).toBe('completed')
    expect(told.at(-1)).toBe(100)
    expect((await readFirmware(bmc)).map(({ version }) => version)).toEqual(['1.0.0', '4.5.6'])
    expect(server.state.push).toEqual({ targets: [], busy: false })
  })

  it('in one piece goes where there are no parts, and leaves the targets free', async () => {
    await start('cisco')
    const bios = (await readFirmware(bmc)).find(({ id }) => id === 'BIOS')!
    await pushFirmware(bmc, { image, name: 'bios.bin', targets: [bios.path] })
    expect((await readFirmware(bmc)).map(({ version }) => version)).toEqual(['1.0.0', '4.5.6'])
    expect(server.state.push).toEqual({ targets: [], busy: false })
  })

  it('that can not be read is told as that, and not as a fault of the BMC', async () => {
    await start('standard')
    const broken = {
      size: 10,
      async *read(): AsyncGenerator<Uint8Array> {
        yield Buffer.alloc(1)
        throw new Error('EIO on the disk')
      },
    }
    await expect(pushFirmware(bmc, { image: broken, name: 'x.bin' })).rejects.toThrow(
      /push firmware: what is to be sent can't be read \(EIO on the disk\)/,
    )
  })
})

it('readings are the same by the newer schema', async () => {
  await start('openbmc')
  expect(await readSensors(bmc, system)).toEqual([
    { name: 'Inlet', kind: 'temperature', value: 21, units: 'Cel', health: 'OK' },
    { name: 'Fan 1', kind: 'fan', value: 4200, units: 'RPM', health: 'OK' },
    { name: 'Server', kind: 'power', value: 9, units: 'W', health: 'OK' },
  ])
})
