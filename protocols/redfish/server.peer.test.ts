import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RunningRedfish, startRedfish } from './server.ts'
import { type PaperMachine, paperMachine } from './testing/paper-machine.ts'
import { selfSigned } from './testing/certificate.ts'
import { startSushy, type Step, type Sushy } from './testing/sushy.ts'
import { staleReasons, whyNot } from './testing/sushy-not-walked.ts'

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
    const wanted = { Name: 'root', RAIDType: 'RAID1', Links: { Drives: drives } }
    await sushy.call(...storage, ['volumes'], ['create', wanted, 'ApplyTime.Immediate', 30])
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
    const transfer_protocol = 'UpdateTransferProtocolType.HTTP'
    const update = keywords({ image_uri: 'http://10.0.0.1/bios-2.1.0.bin', targets, transfer_protocol })
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

  it('subscribes to events, and sends one to try', async () => {
    const service: Step[] = [['get_event_service'], ['subscriptions']]
    await sushy.call(...service, [
      'create',
      { Destination: 'https://10.0.0.1/events', Protocol: 'Redfish', Context: 'p' },
    ])
    expect(await sushy.call(...service, ['get_members'], ['0'], ['destination'])).toBe('https://10.0.0.1/events')
    expect(await sushy.call(['get_event_service'], ['get_event_types_for_subscription'])).toContain('StatusChange')
    const told: unknown[] = []
    const stop = server.state.events.listen(({ record }) => told.push(record['MessageId']))
    const event = [
      '7',
      '2026-01-01T00:00:00Z',
      'Alert',
      'Try',
      [],
      'ResourceEvent.1.3.TestMessage',
      '/redfish/v1',
      'OK',
    ]
    await sushy.call(['get_event_service'], ['submit_test_event', ...event])
    stop()
    expect(told).toEqual(['ResourceEvent.1.3.TestMessage'])
    await sushy.call(...service, ['get_members'], ['0'], ['delete'])
    expect(server.state.subscriptions.size).toBe(0)
  })

  it('adds, replaces and deletes certificates', async () => {
    const [{ cert }, next] = [selfSigned(1), selfSigned(1)]
    const collection: Step[] = [...slot, ['certificates']]
    await sushy.call(...collection, ['create_member', cert, 'CertificateType.PEM'])
    const path = await sushy.call(...collection, ['members_identities'], ['0'])
    expect(await sushy.call(...collection, ['get_member', path], ['subject'], ['common_name'])).toBe('127.0.0.1')
    const replace: Step = ['replace_certificate', path, next.cert, 'CertificateType.PEM']
    await sushy.call(['get_certificate_service'], replace)
    expect([...server.state.certificates.values()].flat().map(({ pem }) => pem)).toEqual([next.cert])
    const locations: Step[] = [['get_certificate_service'], ['certificate_locations']]
    expect(await sushy.call(...locations, ['get_members'], ['0'], ['certificate_string'])).toBe(next.cert)
    await sushy.call(...locations, ['get_members'], ['0'], ['delete'])
    await sushy.call(...collection, ['create_member', cert, 'CertificateType.PEM'])
    const left = await sushy.call(...slot, ['certificates'], ['members_identities'], ['0'])
    await sushy.call(...slot, ['certificates'], ['delete_member', left])
    expect([...server.state.certificates.values()].flat()).toEqual([])
    await sushy.call(...slot, ['set_verify_certificate', true])
    expect(await sushy.call(...slot, ['verify_certificate'])).toBe(true)
  })

  it('resets one Secure Boot database, and asks what can be reset', async () => {
    const secure: Step[] = [system, ['secure_boot']]
    expect(await sushy.call(...secure, ['get_allowed_reset_keys_values'])).toContain('DeleteAllKeys')
    const pk: Step[] = [...secure, ['databases'], ['get_members'], ['0']]
    expect(await sushy.call(...pk, ['get_allowed_reset_keys_values'])).toContain('ResetAllKeysToDefault')
    await sushy.call(...pk, ['reset_keys', 'SecureBootResetKeysType.ResetAllKeysToDefault'])
    expect(await sushy.call(...secure, ['mode'])).toBe('UserMode')
  })

  it('lights drives, initializes volumes and changes a storage controller', async () => {
    const storage: Step[] = [system, ['storage'], ['get_members'], ['0']]
    await sushy.call(...storage, ['drives'], ['0'], ['set_indicator_led', 'IndicatorLED.Lit'])
    expect(server.state.lights.get('Bay1')).toBe('Lit')
    const drive = (await sushy.call(...storage, ['drives'], ['0'], ['path'])) as string
    expect(await sushy.call(...storage, ['get_drive', drive], ['name'])).toBe('Bay1')
    await sushy.call(
      ...storage,
      ['volumes'],
      ['create', { Name: 'data', RAIDType: 'RAID0' }, 'ApplyTime.Immediate', 30],
    )
    const volume: Step[] = [...storage, ['volumes'], ['get_members'], ['0']]
    expect(await sushy.call(...volume, ['get_allowed_initialize_volume_values'])).toHaveLength(2)
    await sushy.call(...volume, ['initialize', 'VolumeInitializeType.Fast', 'ApplyTime.Immediate', 30])
    const rate = { ControllerRates: { ConsistencyCheckRatePercent: 30 } }
    await sushy.call(...storage, ['controllers'], ['get_members'], ['0'], ['update', rate, 'ApplyTime.OnReset'])
    expect(server.state.controller).toEqual({ ConsistencyCheckRatePercent: 30 })
  })

  it('asks what can be done, and does the rest of it', async () => {
    for (const what of ['command_shell', 'graphical_console', 'serial_console'])
      expect(await sushy.call(manager, [`get_supported_${what}_types`])).not.toEqual([])
    expect(await sushy.call(manager, ['get_allowed_reset_manager_values'])).toContain('GracefulRestart')
    expect(await sushy.call(chassis, ['get_allowed_reset_chassis_values'])).toEqual(['PowerCycle'])
    await sushy.call(chassis, ['reset_chassis', 'ResetType.PowerCycle'])
    await sushy.call(chassis, ['set_indicator_led', 'IndicatorLED.Blinking'])
    expect(await sushy.call(chassis, ['indicator_led'])).toBe('Blinking')
    await sushy.call(system, ['set_system_boot_source', 'BootSource.Pxe'])
    expect(machine.override.target).toBe('Pxe')
    const [, uri] = (await sushy.call(['create_session', 'admin', 'paper-secret'])) as string[]
    await sushy.call(['get_session', uri], ['delete'])
    await sushy.call(['get_session_service'], ['create_session', 'admin', 'paper-secret'])
    expect(await sushy.call(['get_sessions_path'])).toBe('/redfish/v1/SessionService/Sessions')
    for (const each of ['refresh', 'invalidate']) await sushy.call(system, [each])
  })

  it('reads the registries of attributes and of messages', async () => {
    const files: Step[] = [['_get_registry_collection'], ['get_members']]
    expect(await sushy.call(system, ['bios'], ['get_attribute_registry', 'en'], ['language'])).toBe('en')
    const attributes: Step[] = [...files, ['0'], ['get_attribute_registry', 'en', null]]
    expect(await sushy.call(...attributes, ['identity'])).toBe('BiosAttributeRegistry.v1_0_0')
    const messages: Step[] = [...files, ['1'], ['get_message_registry', 'en', null]]
    expect(await sushy.call(...messages, ['registry_prefix'])).toBe('ResourceEvent')
    for (const each of [attributes, messages]) await sushy.call(...each, ['read'])
  })

  it('follows a task by its monitor', async () => {
    const monitor = await sushy.call(
      ['get_update_service'],
      ['simple_update', 'http://10.0.0.1/bios-3.0.0.bin'],
      ['task_monitor_uri'],
    )
    const from: Step = ['get_task_monitor', monitor]
    expect(await sushy.call(from, ['check_is_processing'])).toBe(true)
    expect(await sushy.call(from, ['sleep_for'])).toBe(1)
    for (const each of ['is_processing', 'cancellable', 'response', 'task']) await sushy.call(from, [each])
    await sushy.call(from, ['refresh'])
    await sushy.call(from, ['wait', 30])
    expect(await sushy.call(from, ['get_task'], ['task_state'])).toBe('Completed')
    await sushy.call(['get_task_service'], ['tasks'], ['get_members'], ['0'], ['parse_messages'])
  })

  it('leaves nothing out that is not told why', { timeout: 240_000 }, async () => {
    await sushy.call(...slot, ['insert_media', 'http://10.0.0.1/boot.iso'])
    const subscriptions: Step[] = [['get_event_service'], ['subscriptions']]
    await sushy.call(...subscriptions, ['create', { Destination: 'https://10.0.0.1/events', Protocol: 'Redfish' }])
    await sushy.call(...slot, ['certificates'], ['create_member', selfSigned(1).cert, 'CertificateType.PEM'])
    await sushy.readEverything()
    const walked = new Set(await sushy.walked())
    const members = await sushy.members()
    expect(members.length).toBeGreaterThan(400)
    expect(members.filter((member) => !walked.has(member) && !whyNot(member))).toEqual([])
    expect(staleReasons(members, walked)).toEqual([])
  })
})
