import { afterAll, beforeAll, expect, test } from 'vitest'
import { Fleet, type Member } from '../rack/paper/fleet.ts'
import { cloudHere, type CloudHere } from './cloud-here.ts'

/** Ironic's vendor methods about event subscriptions, from the request to the BMC and back into its reply. */

let cloud: CloudHere
let fleet: Fleet
let redfish: Member
const passthru = 'vendor_passthru'
const WITHIN = 60_000

beforeAll(async () => {
  cloud = await cloudHere()
  // At the cloud's own speed: orders have deadlines by its clock.
  fleet = new Fleet({ endpoint: cloud.endpoint, sites: 1, machinesPerSite: 1, speed: 1, drivers: ['redfish'] })
  await fleet.join()
  redfish = fleet.members[0]!
  await fleet.bring(fleet.members, 'manage', 'manageable', WITHIN)
}, 2 * WITHIN)
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

test('event subscriptions of a BMC are made, shown, listed and deleted, each answered by the BMC', async () => {
  const { subscriptions } = redfish.machine.redfish
  const wish = { Destination: 'https://events.example/in?token=s3cret-in-url', Context: 'who' }
  const HttpHeaders = [{ Authorization: 'Bearer s3cret-in-header' }]
  const { body: methods } = await ask(redfish, 'GET', `${passthru}/methods`)
  expect(methods['create_subscription']).toMatchObject({ async: false, http_methods: ['POST'] })
  const made = await ask(redfish, 'POST', `${passthru}?method=create_subscription`, { ...wish, HttpHeaders })
  const { Id, ...more } = made.body
  const id = String(Id)
  expect([made.status, more]).toEqual([200, { ...wish, Protocol: 'Redfish', EventTypes: ['Alert'] }])
  expect([...subscriptions.values()]).toMatchObject([{ headers: HttpHeaders[0] }])
  for (const path of [`${passthru}?method=get_subscription&id=${id}`, `${passthru}/get_subscription?id=${id}`])
    expect((await ask(redfish, 'GET', path)).body).toEqual(made.body)
  const all = await ask(redfish, 'GET', `${passthru}?method=get_all_subscriptions`)
  expect(all.body).toMatchObject({
    '@odata.type': expect.stringContaining('EventDestinationCollection'),
    'Members@odata.count': 1,
    Members: [{ '@odata.id': expect.stringMatching(new RegExp(`/Subscriptions/${id}$`)) }],
  })
  expect(await ask(redfish, 'DELETE', `${passthru}?method=delete_subscription`, { id })).toEqual({
    status: 200,
    body: null,
  })
  expect(subscriptions.size).toBe(0)
  const node = await settled(redfish)
  expect(node['last_error']).toBeNull()
})

test.each([
  ['POST', 'create_subscription', { Destination: 'nowhere' }, 400, /Destination nowhere is not a valid URI/],
  ['POST', 'create_subscription', {}, 400, /Destination None is not a valid URI/],
  ['POST', 'create_subscription', { Destination: 'https://x/', Context: 1 }, 400, /Context 1 is not a valid string/],
  ['POST', 'create_subscription', { Destination: 'https://x/', Protocol: {} }, 400, /Protocol {} is not a string/],
  ['POST', 'create_subscription', { Destination: 'https://x/', HttpHeaders: 'a' }, 400, /HttpHeaders is not a list/],
  [
    'POST',
    'create_subscription',
    { Destination: 'https://x/', EventTypes: ['Nonsense'] },
    400,
    /EventTypes Nonsense is not a valid value, allowed values Alert, StatusChange/,
  ],
  [
    'POST',
    'create_subscription',
    { Destination: 'https://x/', Protocol: 'SNMPv1' },
    500,
    /create event subscription: HTTP 400/,
  ],
  ['GET', 'create_subscription', {}, 400, /does not support HTTP GET/],
  ['DELETE', 'delete_subscription', {}, 400, /id can't be None/],
  ['DELETE', 'delete_subscription', { id: '../../Managers/1' }, 400, /nor a path/],
  ['DELETE', 'delete_subscription', { id: '99' }, 404, /delete event subscription: HTTP 404/],
  ['GET', 'get_subscription', {}, 400, /id can't be None/],
  ['GET', 'get_subscription?id=99', undefined, 500, /read event subscription: HTTP 404/],
])(
  '%s %s with %j is refused with the reason, which is not the last error of the node',
  async (verb, name, body, status, why) => {
    const reply =
      verb === 'GET'
        ? await ask(redfish, verb, `${passthru}/${name}`)
        : await ask(redfish, verb, `${passthru}/${name}`, body)
    expect([reply.status, String(reply.body['error_message'])]).toEqual([status, expect.stringMatching(why)])
    expect((await settled(redfish))['last_error']).toBeNull()
  },
)
