import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Fleet, type Member } from '../rack/paper/fleet.ts'
import { cloudHere, type CloudHere } from './cloud-here.ts'

/** What people ask of BMCs through the API, from the request to the BMC and back to the node. */

let cloud: CloudHere
let fleet: Fleet
let ipmi: Member
let redfish: Member

const WITHIN = 60_000
/** The site's clock runs so much faster than the cloud's, whose deadline for an order is ten minutes: a minute of both together is the most. */
const SPEED = 10

beforeAll(async () => {
  cloud = await cloudHere()
  fleet = new Fleet({
    endpoint: cloud.endpoint,
    sites: 1,
    machinesPerSite: 2,
    speed: SPEED,
    drivers: ['ipmi', 'redfish'],
  })
  await fleet.join()
  ;[ipmi, redfish] = fleet.members as [Member, Member]
  await fleet.bring(fleet.members, 'manage', 'manageable', WITHIN)
})
afterAll(async () => {
  await fleet?.tearDown()
  await cloud?.stopAndForget()
})

async function ask(of: Member, method: string, path: string, body?: unknown) {
  const reply = await fetch(`${cloud.endpoint}/v1/nodes/${of.uuid}/${path}`, {
    method,
    headers: { 'x-openstack-ironic-api-version': '1.115', 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await reply.text()
  return { status: reply.status, body: (text === '' ? {} : JSON.parse(text)) as Record<string, unknown> }
}

/** The power lane is free again. */
async function settled(of: Member): Promise<Record<string, unknown>> {
  const until = Date.now() + WITHIN
  for (;;) {
    const { body } = await ask(of, 'GET', '')
    if (body['reservation'] === null && !('management_request' in (body['driver_internal_info'] as object))) return body
    if (Date.now() > until) throw new Error(`still at it: ${JSON.stringify(body)}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

async function done(of: Member, method: string, path: string, status: number, body?: unknown) {
  const reply = await ask(of, method, path, body)
  expect(reply.status, JSON.stringify(reply.body)).toBe(status)
  const node = await settled(of)
  expect(node['last_error']).toBeNull()
  return node
}

describe('verification', () => {
  test('caches BIOS settings, with what the registry says that they can be', async () => {
    const { body } = await ask(redfish, 'GET', 'bios?detail=true')
    const settings = body['bios'] as Record<string, unknown>[]
    expect(settings.map(({ name }) => name)).toEqual(['BootTimeout', 'NumLock', 'ProcTurboMode', 'QuietBoot'])
    expect(settings[2]).toMatchObject({ value: 'Enabled', allowable_values: ['Enabled', 'Disabled'], read_only: false })
    expect(settings[0]).toMatchObject({ value: '5', attribute_type: 'Integer', upper_bound: 60 })
    expect(settings[0]).not.toHaveProperty('read_at')
    expect((await ask(redfish, 'GET', 'bios/NumLock')).body).toMatchObject({ NumLock: { value: 'On' } })
  })

  test('caches firmware versions and how the machine boots', async () => {
    const { body } = await ask(redfish, 'GET', 'firmware')
    expect(body['firmware']).toMatchObject([
      { component: 'bios', initial_version: '2.0.0', current_version: '2.0.0', last_version_flashed: null },
      { component: 'bmc', initial_version: '1.0.0', current_version: '1.0.0' },
      { component: 'nic:1' },
    ])
    expect((await ask(redfish, 'GET', 'states')).body).toMatchObject({ boot_mode: 'bios', secure_boot: false })
  })
})

test('cleaning by hand makes the RAID that was asked for, sets the BIOS, and gives the BMC a password that only the site knows', async () => {
  const logical_disks = [{ size_gb: 'MAX', raid_level: '1', is_root_volume: true }]
  expect((await ask(redfish, 'PUT', 'states/raid', { logical_disks })).status).toBe(204)
  const clean_steps = [
    { interface: 'raid', step: 'create_configuration', args: {} },
    { interface: 'bios', step: 'apply_configuration', args: { settings: [{ name: 'NumLock', value: 'Off' }] } },
    { interface: 'management', step: 'rotate_bmc_password', args: {} },
    { interface: 'management', step: 'read_hardware', args: {} },
  ]
  const before = (await fleet.client.nodes.get(redfish.uuid)).driver_info
  await expect(fleet.client.nodes.provision(redfish.uuid, 'clean', { clean_steps })).rejects.toThrow(
    /read_hardware is unknown/,
  )
  await fleet.client.nodes.provision(redfish.uuid, 'clean', { clean_steps: clean_steps.slice(0, 3) })
  const node = await fleet.awaitState(redfish.uuid, 'manageable', WITHIN)
  expect(node).toMatchObject({ last_error: null, raid_config: { logical_disks: [{ raid_level: '1' }] } })
  expect((await ask(redfish, 'GET', 'bios/NumLock')).body).toMatchObject({ NumLock: { value: 'Off' } })
  const [user] = redfish.machine.redfish.users
  expect(user!.password).toMatch(/^Aa1-/)
  expect(before['redfish_password']).toBe('******')
  // The next plan logs in with what the cloud now has.
  await fleet.client.nodes.provision(redfish.uuid, 'inspect')
  const inspected = await fleet.awaitState(redfish.uuid, 'manageable', WITHIN)
  expect(inspected).toMatchObject({ last_error: null, properties: { cpus: 8, cpu_arch: 'x86_64' } })
  const written = [...cloud.logged, ...fleet.logged].filter((line) => line.includes(user!.password))
  expect(written).toEqual([])
})

test('an NMI reaches the machine, by IPMI and by Redfish', async () => {
  for (const member of [ipmi, redfish]) {
    await done(member, 'PUT', 'states/power', 202, { target: 'power on' })
    await done(member, 'PUT', 'management/inject_nmi', 204, {})
    expect(member.machine.nmis).toBe(1)
  }
})

test('boot mode and Secure Boot are set on the BMC and shown on the node', async () => {
  expect(await done(redfish, 'PUT', 'states/boot_mode', 202, { target: 'bios' })).toMatchObject({ boot_mode: 'bios' })
  expect(await done(redfish, 'PUT', 'states/boot_mode', 202, { target: 'uefi' })).toMatchObject({ boot_mode: 'uefi' })
  expect((await redfish.machine.redfish.machine.boot.get()).mode).toBe('UEFI')
  const node = await done(redfish, 'PUT', 'states/secure_boot', 202, { target: true })
  expect(node).toMatchObject({ secure_boot: true })
  expect(redfish.machine.redfish.secureBoot.enabled).toBe(true)
})

test('indicators are listed, told and set', async () => {
  const { body } = await ask(redfish, 'GET', 'management/indicators')
  const [system] = body['indicators'] as { name: string; component: string; states: string[] }[]
  expect(system).toMatchObject({ component: 'system', readonly: false, states: ['blinking', 'off', 'on'] })
  const path = `management/indicators/${system!.name}`
  expect((await ask(redfish, 'GET', path)).body).toEqual({ state: 'off' })
  await done(redfish, 'PUT', path, 204, { state: 'blinking' })
  expect(redfish.machine.redfish.indicator).toBe('Blinking')
  expect((await ask(redfish, 'GET', path)).body).toEqual({ state: 'blinking' })
  expect((await ask(redfish, 'PUT', 'management/indicators/none@system', { state: 'on' })).status).toBe(400)
})

test('virtual media are attached, listed without what may let somebody in, and detached', async () => {
  const image_url = 'http://images.example/rescue.iso?key=hush'
  await done(redfish, 'POST', 'vmedia', 204, { device_type: 'cdrom', image_url })
  expect(redfish.machine.redfish.slots.find(({ image }) => image)?.image).toBe(image_url)
  const { body } = await ask(redfish, 'GET', 'vmedia')
  expect(body['virtual_media']).toContainEqual(
    expect.objectContaining({ inserted: true, image: 'http://images.example/rescue.iso' }),
  )
  await done(redfish, 'DELETE', 'vmedia?device_types=cdrom', 204)
  expect(redfish.machine.redfish.slots.every(({ image }) => image === undefined)).toBe(true)
})

test('what the BMC refuses is the node’s last error, and the node is free again', async () => {
  for (const slot of redfish.machine.redfish.slots) slot.insert = 'refused'
  expect((await ask(redfish, 'POST', 'vmedia', { device_type: 'cdrom', image_url: 'http://h/b.iso' })).status).toBe(204)
  expect(String((await settled(redfish))['last_error'])).toMatch(/BMC 127\.0\.0\.1:\d+, insert virtual CD: HTTP 400/)
})

describe("Ironic's vendor methods", () => {
  const passthru = 'vendor_passthru'

  test('of IPMI are listed, and reach the BMC', async () => {
    const { body } = await ask(ipmi, 'GET', `${passthru}/methods`)
    expect(Object.keys(body)).toEqual(expect.arrayContaining(['send_raw', 'bmc_reset']))
    expect(body['send_raw']).toMatchObject({ async: true, http_methods: ['POST'], require_exclusive_lock: true })
    await done(ipmi, 'PUT', 'states/power', 202, { target: 'power off' })
    await done(ipmi, 'POST', `${passthru}/send_raw`, 202, { raw_bytes: '0x00 0x02 0x01' })
    expect(ipmi.machine.power).toBe('on')
    await done(ipmi, 'POST', `${passthru}?method=bmc_reset`, 202, { warm: 'false' })
  })

  test.each([
    [{}, /Parameter raw_bytes \(string of bytes\) was not specified/],
    [{ raw_bytes: '0x00' }, /raw_bytes are bytes/],
    [{ raw_bytes: '0x01 0x02' }, /even and at most 0x3e/],
    [{ raw_bytes: '6 999' }, /a byte is at most 255/],
    [{ raw_bytes: '6 1', also: 1 }, /arguments are wrong/],
  ])('send_raw with %j is refused', async (body, why) => {
    const reply = await ask(ipmi, 'POST', `${passthru}/send_raw`, body)
    expect([reply.status, String(reply.body['error_message'])]).toEqual([400, expect.stringMatching(why)])
  })

  test('of Redfish eject the medium of one drive, or all', async () => {
    const { slots } = redfish.machine.redfish
    for (const slot of slots) slot.insert = 'action'
    const inserted = () => slots.filter(({ image }) => image !== undefined).length
    const medium = { device_type: 'cdrom', image_url: 'http://images.example/a.iso' }
    const { body } = await ask(redfish, 'GET', `${passthru}/methods`)
    expect(body).toMatchObject({ eject_vmedia: { async: true, http_methods: ['POST'] } })
    for (const [drive, left] of [
      ['floppy', 1],
      ['cd', 0],
    ] as const) {
      if (inserted() === 0) await done(redfish, 'POST', 'vmedia', 204, medium)
      await done(redfish, 'POST', `${passthru}/eject_vmedia`, 202, { boot_device: drive })
      expect(inserted()).toBe(left)
    }
    await done(redfish, 'POST', 'vmedia', 204, medium)
    await done(redfish, 'POST', `${passthru}?method=eject_vmedia`, 202, {})
    expect(inserted()).toBe(0)
    expect((await ask(redfish, 'POST', `${passthru}/eject_vmedia`, { boot_device: 'tape' })).status).toBe(400)
  })

  test('are not those of IPMI on Redfish, and send_raw is no step that people may name', async () => {
    const methods = Object.keys((await ask(redfish, 'GET', `${passthru}/methods`)).body)
    expect(methods).toEqual(expect.arrayContaining(['create_subscription', 'generate_csr', 'eject_vmedia']))
    expect(methods).not.toContain('send_raw')
    expect((await ask(redfish, 'POST', `${passthru}/send_raw`, { raw_bytes: '6 1' })).status).toBe(400)
    const clean_steps = [{ interface: 'vendor', step: 'send_raw', args: { raw_bytes: '6 1' } }]
    await expect(fleet.client.nodes.provision(ipmi.uuid, 'clean', { clean_steps })).rejects.toThrow(
      /Step vendor.send_raw is not allowed/,
    )
  })

  test('cleaning by hand does over IPMI what it can: event log, clock, a new password for the BMC', async () => {
    const names = ['clear_event_log', 'set_bmc_clock', 'rotate_bmc_password']
    const steps = names.map((name) => ({ interface: 'management', step: name, args: {} }))
    const clean_steps = [...steps, { interface: 'vendor', step: 'bmc_reset', args: { warm: true } }]
    await fleet.client.nodes.provision(ipmi.uuid, 'clean', { clean_steps })
    expect(await fleet.awaitState(ipmi.uuid, 'manageable', WITHIN)).toMatchObject({ last_error: null })
    await done(ipmi, 'PUT', 'states/power', 202, { target: 'power off' })
    const ntp = [{ interface: 'management', step: 'set_bmc_ntp', args: { servers: ['10.0.0.1'] } }]
    await expect(fleet.client.nodes.provision(ipmi.uuid, 'clean', { clean_steps: ntp })).rejects.toThrow(
      /set_bmc_ntp is unknown for node/,
    )
  })
})

test('what a driver lacks is refused without asking anybody', async () => {
  for (const [method, path, body] of [
    ['PUT', 'states/boot_mode', { target: 'uefi' }],
    ['PUT', 'states/secure_boot', { target: true }],
    ['GET', 'management/indicators', undefined],
    ['GET', 'vmedia', undefined],
  ] as const) {
    const reply = await ask(ipmi, method, path, body)
    expect([reply.status, String(reply.body['error_message'])]).toEqual([
      400,
      expect.stringMatching(/does not support/),
    ])
  }
})
