import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RunningRedfish, startRedfish } from './server.ts'
import { type PaperMachine, paperMachine } from './testing/paper-machine.ts'
import { startSushy, type Step, type Sushy } from './testing/sushy.ts'

const user = { name: 'admin', password: 'paper-secret' }
const keywords = (all: object): object => ({ ...all, '**': true })
const system: Step = ['get_system']
const manager: Step = ['get_manager']
const chassis: Step = ['get_chassis']
const slot: Step[] = [manager, ['virtual_media'], ['get_members'], ['0']]

let machine: PaperMachine
let server: RunningRedfish
let sushy: Sushy
const faults: unknown[] = []

beforeAll(async () => {
  machine = paperMachine()
  server = await startRedfish({
    host: '127.0.0.1',
    port: 0,
    users: [user],
    machine,
    onError: (error) => faults.push(error),
  })
  sushy = await startSushy(server.url, user, 'session')
})
afterAll(async () => {
  await sushy.stop()
  await server.close()
  expect(faults).toEqual([])
})

describe("Ironic's Redfish library", () => {
  it('logs in by session, sees it and ends it', async () => {
    expect(await sushy.call(['redfish_version'])).toBe('1.13.0')
    expect(await sushy.call(['get_session_service'], ['session_timeout'])).toBe(1800)
    expect(server.state.sessions.size).toBe(1)
    const path = await sushy.call(['get_session_service'], ['sessions'], ['members_identities'], ['0'])
    expect(await sushy.call(['get_session', path], ['username'])).toBe('admin')
    const [key, uri] = (await sushy.call(['create_session', 'admin', 'paper-secret'])) as string[]
    expect(key).toMatch(/^[\w-]{32}$/)
    expect(server.state.sessions.has(uri!.split('/').at(-1)!)).toBe(true)
    await sushy.call(['get_session_service'], ['close_session', uri])
    expect(server.state.sessions.has(uri!.split('/').at(-1)!)).toBe(false)
  })

  it('logs in again when the BMC has forgotten the session', async () => {
    server.state.sessions.clear()
    expect(await sushy.call(system, ['power_state'])).toBe('Off')
    expect(server.state.sessions.size).toBe(1)
  })

  it('logs in by Basic, and is told when the password is wrong', async () => {
    const basic = await startSushy(server.url, user, 'basic')
    expect(await basic.call(system, ['name'])).toBe('paper')
    await basic.stop()
    const wrong = await startSushy(server.url, { name: 'admin', password: 'wrong' }, 'basic')
    await expect(wrong.call(system)).rejects.toThrow()
    await wrong.stop()
  })

  it('reads what the system is', async () => {
    expect(await sushy.call(system, ['uuid'])).toBe(machine.facts.uuid)
    expect(await sushy.call(system, ['manufacturer'])).toBe('Contoso')
    expect(await sushy.call(system, ['memory_summary'], ['size_gib'])).toBe(64)
    expect(await sushy.call(system, ['status'], ['health'])).toBe('OK')
    expect(await sushy.call(system, ['processors'], ['summary'], ['count'])).toBe(16)
    expect(await sushy.call(system, ['ethernet_interfaces'], ['summary'])).toEqual({
      '52:54:00:00:00:01': 'Enabled',
      '52:54:00:00:00:02': 'Enabled',
    })
    expect(await sushy.call(system, ['managers'], ['0'], ['identity'])).toBe('BMC')
    expect(await sushy.call(system, ['chassis'], ['0'], ['identity'])).toBe('1')
  })

  it('switches power in every way that it knows', async () => {
    const allowed = (await sushy.call(system, ['get_allowed_reset_system_values'])) as string[]
    for (const type of allowed) await sushy.call(system, ['reset_system', `ResetType.${type}`])
    expect(machine.resets.toSorted()).toEqual(allowed.toSorted())
    await sushy.call(system, ['reset_system', 'ResetType.ForceOff'])
    expect(await sushy.call(system, ['power_state'])).toBe('Off')
  })

  it('sets every boot source, once and for good, and the boot mode', async () => {
    for (const target of (await sushy.call(system, ['get_allowed_system_boot_source_values'])) as string[]) {
      for (const enabled of ['Once', 'Continuous']) {
        await sushy.call(system, [
          'set_system_boot_options',
          keywords({ target: `BootSource.${target}`, enabled: `BootSourceOverrideEnabled.${enabled}` }),
        ])
        expect(machine.override).toMatchObject({ target, enabled })
      }
    }
    await sushy.call(system, ['set_system_boot_options', keywords({ mode: 'BootSourceOverrideMode.Legacy' })])
    expect(machine.override.mode).toBe('Legacy')
    expect(await sushy.call(system, ['boot'], ['mode'])).toBe('Legacy')
    await sushy.call(system, ['set_indicator_led', 'IndicatorLED.Lit'])
    expect(await sushy.call(system, ['indicator_led'])).toBe('Lit')
  })

  it('inserts and ejects virtual media', async () => {
    expect(await sushy.call(...slot, ['media_types'])).toEqual(['CD', 'DVD'])
    await sushy.call(...slot, ['insert_media', 'http://10.0.0.1/boot.iso'])
    expect(machine.images.get('Cd')).toBe('http://10.0.0.1/boot.iso')
    expect(await sushy.call(...slot, ['inserted'])).toBe(true)
    await sushy.call(...slot, ['eject_media'])
    expect(machine.images.get('Cd')).toBeUndefined()
  })

  it('changes and resets BIOS settings', async () => {
    const bios: Step[] = [system, ['bios']]
    expect(await sushy.call(...bios, ['supported_apply_times'])).toEqual(['OnReset'])
    await sushy.call(...bios, ['set_attribute', 'NumLock', 'Off'])
    await sushy.call(...bios, ['set_attributes', { BootTimeout: 9 }])
    expect(await sushy.call(...bios, ['pending_attributes'])).toMatchObject({ NumLock: 'Off', BootTimeout: 9 })
    await sushy.call(system, ['reset_system', 'ResetType.ForceRestart'])
    expect(await sushy.call(...bios, ['attributes'])).toMatchObject({ NumLock: 'Off', BootTimeout: 9 })
    await sushy.call(...bios, ['reset_bios'])
    await sushy.call(...bios, ['change_password', 'new', 'old', 'Administrator'])
    await expect(sushy.call(...bios, ['set_attribute', 'Nonsense', 1])).rejects.toThrow(/PropertyUnknown/)
  })

  it('switches secure boot and resets its keys', async () => {
    const secure: Step[] = [system, ['secure_boot']]
    await sushy.call(...secure, ['set_enabled', true])
    expect(await sushy.call(...secure, ['enabled'])).toBe(true)
    await sushy.call(...secure, ['reset_keys', 'SecureBootResetKeysType.DeleteAllKeys'])
    expect(await sushy.call(...secure, ['mode'])).toBe('SetupMode')
  })

  it('creates and deletes volumes, waiting for the task', async () => {
    const storage: Step[] = [system, ['storage'], ['get_members'], ['0']]
    expect(await sushy.call(...storage, ['drives_sizes_bytes'])).toEqual([480e9, 480e9])
    const drives = ['Bay1', 'Bay2'].map((id) => ({ '@odata.id': `/redfish/v1/Systems/1/Storage/1/Drives/${id}` }))
    await sushy.call(
      ...storage,
      ['volumes'],
      ['create', { Name: 'root', RAIDType: 'RAID1', Links: { Drives: drives } }, 'ApplyTime.Immediate', 30],
    )
    expect(server.state.volumes).toMatchObject([{ name: 'root', raid: 'RAID1', capacityBytes: 480e9 }])
    const volume: Step[] = [...storage, ['volumes'], ['get_members'], ['0']]
    expect(await sushy.call(...volume, ['raid_type'])).toBe('RAID1')
    await sushy.call(...volume, ['delete', null, 'ApplyTime.Immediate', 30])
    expect(server.state.volumes).toEqual([])
  })

  it('updates firmware and follows the task', async () => {
    const service: Step = ['get_update_service']
    expect(await sushy.call(service, ['get_allowed_transfer_protocols'])).toContain('HTTP')
    const inventory: Step[] = [service, ['firmware_inventory'], ['get_members'], ['1'], ['version']]
    expect(await sushy.call(...inventory)).toBe('2.0.0')
    const targets = ['/redfish/v1/UpdateService/FirmwareInventory/BIOS']
    const update = keywords({
      image_uri: 'http://10.0.0.1/bios-2.1.0.bin',
      targets,
      transfer_protocol: 'UpdateTransferProtocolType.HTTP',
    })
    await sushy.call(service, ['simple_update', update], ['wait', 30])
    expect(await sushy.call(...inventory)).toBe('2.1.0')
    expect(await sushy.call(['get_task_service'], ['tasks'], ['get_members'], ['0'], ['task_state'])).toBe('Completed')
  })

  it('reads chassis, temperatures and power, and restarts the manager', async () => {
    expect(await sushy.call(chassis, ['chassis_type'])).toBe('RackMount')
    expect(await sushy.call(chassis, ['thermal'], ['temperatures'], ['0'], ['reading_celsius'])).toBe(21)
    expect(await sushy.call(chassis, ['power'], ['power_supplies'], ['0'], ['power_capacity_watts'])).toBe(800)
    expect(await sushy.call(manager, ['firmware_version'])).toBe('1.0.0')
    await sushy.call(manager, ['reset_manager', 'ResetType.GracefulRestart'])
    expect(await sushy.call(manager, ['systems'], ['0'], ['identity'])).toBe('1')
  })

  it('subscribes to events', async () => {
    const service: Step[] = [['get_event_service'], ['subscriptions']]
    const wanted = { Destination: 'https://10.0.0.1/events', Protocol: 'Redfish', Context: 'peer' }
    await sushy.call(...service, ['create', wanted])
    expect(await sushy.call(...service, ['get_members'], ['0'], ['destination'])).toBe('https://10.0.0.1/events')
    await sushy.call(...service, ['get_members'], ['0'], ['delete'])
    expect(server.state.subscriptions.size).toBe(0)
  })
})
