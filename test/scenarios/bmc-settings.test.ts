import { connect, type IpmiSession } from '@bloomery/ipmi/client.ts'
import { readLan } from '@bloomery/ipmi/lan.ts'
import { openIpmiSocket } from '@bloomery/ipmi/socket.ts'
import { readWatchdog } from '@bloomery/ipmi/watchdog.ts'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { Fleet, type Member } from '../rack/paper/fleet.ts'
import { cloudHere, type CloudHere } from './cloud-here.ts'

/** What people tell a BMC about itself, from the request to the BMC: users, LAN configuration, watchdog, boot order. */

let cloud: CloudHere
let fleet: Fleet
let ipmi: Member
let redfish: Member
const WITHIN = 60_000

beforeAll(async () => {
  cloud = await cloudHere()
  fleet = new Fleet({ endpoint: cloud.endpoint, sites: 1, machinesPerSite: 2, speed: 1, drivers: ['ipmi', 'redfish'] })
  await fleet.join()
  ;[ipmi, redfish] = fleet.members as [Member, Member]
  await fleet.bring(fleet.members, 'manage', 'manageable', WITHIN)
}, 2 * WITHIN)
afterAll(async () => {
  await fleet?.tearDown()
  await cloud?.stopAndForget()
})

async function ask({ uuid }: Member, method: string, path: string, body?: unknown) {
  const reply = await fetch(`${cloud.endpoint}/v1/nodes/${uuid}/${path}`, {
    method,
    headers: { 'x-openstack-ironic-api-version': '1.115', 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await reply.text()
  return { status: reply.status, body: (text === '' ? {} : JSON.parse(text)) as Record<string, unknown> }
}
const call = (of: Member, method: string, name: string, body?: unknown) =>
  ask(of, method, `vendor_passthru?method=${name}`, body)

/** Nothing is asked of its BMC any more. */
async function settled(of: Member): Promise<Record<string, unknown>> {
  const until = Date.now() + WITHIN
  for (;;) {
    const { body } = await ask(of, 'GET', '')
    if (body['reservation'] === null && !('management_request' in (body['driver_internal_info'] as object))) return body
    if (Date.now() > until) throw new Error(`still at it: ${JSON.stringify(body)}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** By a console of our own. */
async function console(username = 'admin', password = ipmi.machine.password): Promise<IpmiSession> {
  const socket = openIpmiSocket()
  onTestFinished(() => socket.close())
  const login = { username, password, privilege: username === 'admin' ? 'administrator' : 'operator' } as const
  const session = await connect({ socket, host: '127.0.0.1', port: ipmi.machine.port, timeoutMs: 20_000, ...login })
  onTestFinished(() => session.close())
  return session
}

const worker = { name: 'worker', password: 's3cret-of-worker', privilege: 'operator' }
const shown = { name: 'worker', enabled: true, privilege: 'operator' }

test('a user of an IPMI BMC is made, listed, and logs in; his password is nowhere else', async () => {
  expect(await call(ipmi, 'POST', 'set_user', worker)).toEqual({ status: 200, body: shown })
  await console('worker', worker.password)
  const listed = await call(ipmi, 'GET', 'get_users')
  expect(listed).toEqual({
    status: 200,
    body: { users: [{ name: 'admin', enabled: true, privilege: 'administrator' }, shown] },
  })
  const off = await call(ipmi, 'POST', 'set_user', { name: 'worker', enabled: false })
  expect(off.body).toEqual({ ...shown, enabled: false })
  expect(JSON.stringify([fleet.logged, cloud.logged, await settled(ipmi)])).not.toContain(worker.password)
})

test('a user of a Redfish BMC is made, listed and changed', async () => {
  expect(await call(redfish, 'POST', 'set_user', worker)).toEqual({ status: 200, body: shown })
  expect((await call(redfish, 'POST', 'set_user', { name: 'worker', privilege: 'user' })).body).toEqual({
    ...shown,
    privilege: 'user',
  })
  expect((await call(redfish, 'GET', 'get_users')).body['users']).toHaveLength(2)
  expect(redfish.machine.redfish.users.at(-1)).toMatchObject({ password: worker.password, role: 'ReadOnly' })
})

test('the LAN configuration of a BMC is shown and changed, driver_info is not', async () => {
  const before = await call(ipmi, 'GET', 'get_lan_configuration')
  expect(before).toMatchObject({ status: 200, body: { source: 'static', vlan: null } })
  const wish = { gateway: '10.30.0.254', mask: '255.255.255.0', vlan: 30 }
  expect((await call(ipmi, 'POST', 'set_lan_configuration', wish)).status).toBe(202)
  const node = await settled(ipmi)
  expect(node['last_error']).toBeNull()
  expect(await readLan(await console())).toMatchObject(wish)
  expect((await call(ipmi, 'GET', 'get_lan_configuration')).body).toMatchObject(wish)
  expect((await call(ipmi, 'POST', 'set_lan_configuration', { vlan: null })).status).toBe(202)
  await settled(ipmi)
  expect((await call(ipmi, 'GET', 'get_lan_configuration')).body).toMatchObject({ ...wish, vlan: null })
})

test('the watchdog of a BMC is armed, shown and stopped', async () => {
  const wish = { running: true, timeout: 600, action: 'reset' }
  expect((await call(ipmi, 'POST', 'set_watchdog', wish)).status).toBe(202)
  expect((await settled(ipmi))['last_error']).toBeNull()
  expect(await readWatchdog(await console())).toMatchObject(wish)
  expect((await call(ipmi, 'GET', 'get_watchdog')).body).toMatchObject({ ...wish, remaining: expect.any(Number) })
  expect((await call(ipmi, 'POST', 'set_watchdog', { running: 'no' })).status).toBe(202)
  await settled(ipmi)
  expect((await call(ipmi, 'GET', 'get_watchdog')).body).toMatchObject({ ...wish, running: false })
})

test('the boot order of a machine is shown and changed', async () => {
  const { body } = await call(redfish, 'GET', 'get_boot_options')
  const order = (body['order'] as string[]).toReversed()
  expect(order.length).toBeGreaterThan(1)
  expect(body['options']).toMatchObject(
    order.toReversed().map((reference) => ({ reference, enabled: expect.any(Boolean) })),
  )
  expect((await call(redfish, 'POST', 'set_boot_order', { order })).status).toBe(202)
  expect((await settled(redfish))['last_error']).toBeNull()
  expect(redfish.machine.redfish.bootOrder).toEqual(order)
  expect((await call(redfish, 'POST', 'set_boot_order', { order: ['Boot9999'] })).status).toBe(202)
  await expect.poll(async () => (await settled(redfish))['last_error']).toMatch(/no boot option Boot9999; it has Boot/)
})

test('each is a step of manual cleaning, too', async () => {
  const order = redfish.machine.redfish.bootOrder.toReversed()
  const of = (step: string, args: object) => ({
    clean_steps: [{ interface: 'management', step, args }],
    target: 'clean',
  })
  const clean = (to: Member, body: object) => ask(to, 'PUT', 'states/provision', body)
  expect((await clean(redfish, of('set_boot_order', { order }))).status).toBe(202)
  expect((await clean(ipmi, of('set_watchdog', { running: true, timeout: 60, action: 'none' }))).status).toBe(202)
  await fleet.reach([ipmi, redfish], 'manageable', WITHIN)
  expect(redfish.machine.redfish.bootOrder).toEqual(order)
  expect((await call(ipmi, 'GET', 'get_watchdog')).body).toMatchObject({ running: true, timeout: 60, action: 'none' })
})

test.each<[string, () => Member, string, string, object | undefined, number, RegExp]>([
  ['nameless', () => ipmi, 'POST', 'set_user', {}, 400, /'name' \(string\) was not specified/],
  ['without a wish', () => ipmi, 'POST', 'set_user', { name: 'worker' }, 400, /at least one of 'password'/],
  ['of our own user', () => ipmi, 'POST', 'set_user', { name: 'admin', enabled: false }, 400, /rotate_bmc_password/],
  ['of our own user', () => redfish, 'POST', 'set_user', { name: 'admin', password: 'x' }, 400, /rotate_bmc_password/],
  ['without a password', () => ipmi, 'POST', 'set_user', { name: 'new', enabled: true }, 500, /needs a password/],
  [
    'that is no privilege',
    () => ipmi,
    'POST',
    'set_user',
    { name: 'a', privilege: 'root' },
    400,
    /privilege is one of/,
  ],
  ['empty', () => ipmi, 'POST', 'set_lan_configuration', {}, 400, /at least one of source/],
  ['that is no address', () => ipmi, 'POST', 'set_lan_configuration', { address: '10.0.0' }, 400, /IPv4/],
  ['by another verb', () => ipmi, 'GET', 'set_watchdog', undefined, 400, /does not support HTTP GET/],
  ['too long', () => ipmi, 'POST', 'set_watchdog', { running: true, timeout: 7000 }, 400, /6553/],
  ['twice the same', () => redfish, 'POST', 'set_boot_order', { order: ['Boot1', 'Boot1'] }, 400, /twice/],
  ['of IPMI only', () => redfish, 'GET', 'get_watchdog', undefined, 400, /No handler for method get_watchdog/],
  ['of Redfish only', () => ipmi, 'GET', 'get_boot_options', undefined, 400, /No handler for method get_boot/],
])('a request %s is refused with the reason', async (_what, of, method, name, body, status, why) => {
  const reply = await call(of(), method, name, body)
  expect([reply.status, String(reply.body['error_message'])]).toEqual([status, expect.stringMatching(why)])
})
