import { afterAll, beforeAll, expect, it } from 'vitest'
import { faultText } from '../../contract/api/faults.ts'
import { type ControlPlane, openControlPlane } from './control-plane.ts'

/** What Debian's Ironic 21.4 answered to the same requests (test/ironic): status, and how its sentence begins. */

let cloud: ControlPlane
const NODE = '11111111-1111-4111-8111-111111111111'
const NOBODY = '00000000-0000-4000-8000-000000000000'
const node = `/v1/nodes/${NODE}`
const provision = `${node}/states/provision`
const booleans = "acceptable values are: '0', '1', 'f', 'false', 'n', 'no', 'off', 'on', 't', 'true', 'y', 'yes'"

async function ask(minor: number, method: string, path: string, body?: unknown) {
  const headers = { 'x-openstack-ironic-api-version': `1.${minor}`, 'content-type': 'application/json' }
  return cloud.request(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) })
}

beforeAll(async () => {
  cloud = await openControlPlane()
  await ask(82, 'POST', '/v1/nodes', { driver: 'fake-hardware', uuid: NODE, name: 'one' })
})
afterAll(() => cloud[Symbol.asyncDispose]())

const fake = { driver: 'fake-hardware' }
it.each<[number, string, string, unknown, number, string]>([
  [82, 'POST', '/v1/nodes', undefined, 400, "Schema error for node: 'driver' is a required property"],
  [82, 'POST', '/v1/nodes', [], 400, "Schema error for node: [] is not of type 'object'"],
  [
    82,
    'POST',
    '/v1/nodes',
    { ...fake, colour: 1 },
    400,
    "Schema error for node: Additional properties are not allowed ('colour' was unexpected)",
  ],
  [82, 'POST', '/v1/nodes', { ...fake, name: 'has space' }, 400, "Cannot create node with invalid name 'has space'"],
  [82, 'POST', '/v1/nodes', { ...fake, name: NOBODY }, 400, `Cannot create node with invalid name '${NOBODY}'`],
  [
    82,
    'POST',
    '/v1/nodes',
    { ...fake, name: 'detail' },
    400,
    'The word "detail" is reserved and can not be used as a node name.',
  ],
  [5, 'POST', '/v1/nodes', { ...fake, name: 'no_host' }, 400, "Cannot create node with invalid name 'no_host'"],
  [82, 'POST', '/v1/nodes', { ...fake, chassis_uuid: 'x' }, 400, 'Expected UUID for chassis_uuid: x'],
  [
    82,
    'POST',
    '/v1/nodes',
    { ...fake, automated_clean: 'maybe' },
    400,
    `Invalid automated_clean: Unrecognized value 'maybe', ${booleans}`,
  ],
  [82, 'POST', '/v1/nodes', { ...fake, network_data: { links: [] } }, 400, 'Schema error for node: '],
  [
    82,
    'POST',
    '/v1/nodes',
    { ...fake, power_interface: 'ipmitool' },
    400,
    "Could not find the following interface in the 'ironic.hardware.interfaces.power' entrypoint: ipmitool. Valid interfaces are ['fake'].",
  ],
  [82, 'POST', '/v1/nodes', { ...fake, extra: null, instance_uuid: NOBODY }, 201, ''],
  [82, 'GET', '/v1/nodes?colour=red', undefined, 400, 'Unexpected arguments: colour'],
  [82, 'GET', '/v1/nodes?fields=uuid&fields=name', undefined, 400, "Expected string for fields: ['uuid', 'name']"],
  [
    82,
    'GET',
    '/v1/nodes?detail=true&fields=name',
    undefined,
    400,
    'Can not specify ?detail=True and fields in the same request.',
  ],
  [82, 'GET', '/v1/nodes/detail?fields=name', undefined, 400, 'Unexpected arguments: fields'],
  [82, 'GET', '/v1/nodes?limit=many', undefined, 400, 'Expected an integer for limit: many'],
  [82, 'GET', '/v1/nodes?marker=one', undefined, 400, 'Expected UUID for marker: one'],
  [82, 'GET', `/v1/nodes?chassis_uuid=${NOBODY}`, undefined, 404, `Chassis ${NOBODY} could not be found.`],
  [31, 'GET', '/v1/nodes?retired=true', undefined, 200, ''],
  [1, 'GET', '/v1/nodes/one', undefined, 404, 'Node one could not be found.'],
  [82, 'GET', '/v1/nodes/has%20space', undefined, 400, 'Expected UUID or name for node: has space'],
  [82, 'GET', `${node}?detail=true`, undefined, 400, 'Unexpected arguments: detail'],
  [82, 'GET', `${node}?fields=colour`, undefined, 400, 'Field colour is not a valid field.'],
  [72, 'GET', `${node}/bios?detail=true`, undefined, 400, 'Invalid query parameter ?detail=True received.'],
  [82, 'PATCH', node, [], 200, ''],
  [82, 'PATCH', node, [{ op: 'replace', path: '/extra', value: null }], 200, ''],
  [
    82,
    'PATCH',
    node,
    [{ op: 'remove', path: '/extra/no' }],
    400,
    "Couldn't apply patch '{'op': 'remove', 'path': '/extra/no'}'. Reason: can't remove a non-existent object 'no'",
  ],
  [
    82,
    'PATCH',
    node,
    [{ op: 'replace', path: '/uuid', value: NOBODY }],
    400,
    'Cannot patch /uuid. Only the following can be updated: ',
  ],
  [
    82,
    'PATCH',
    node,
    [{ op: 'remove', path: '/driver' }],
    400,
    "Schema error for patch: 'driver' is a required property",
  ],
  [
    82,
    'PATCH',
    node,
    [{ op: 'replace', path: 'name', value: 'x' }],
    400,
    "Schema error for patch: 'name' does not match '^(/[\\\\w-]+)+$'",
  ],
  [
    82,
    'PATCH',
    node,
    [{ op: 'replace', path: '/protected', value: true }],
    409,
    `Node ${NODE} can only be made protected in provision states 'active' or 'rescue', the current state is 'enroll'`,
  ],
  [82, 'PUT', provision, undefined, 400, 'Missing mandatory parameter: target'],
  [82, 'PUT', provision, { target: 7 }, 400, 'Expected string for target: 7'],
  [82, 'PUT', provision, { target: 'manage', colour: 'red' }, 400, 'Unexpected arguments: colour'],
  [
    82,
    'PUT',
    provision,
    { target: 'clean', clean_steps: 'all' },
    400,
    "Expected types <class 'NoneType'>, <class 'list'> for clean_steps: all",
  ],
  [
    82,
    'PUT',
    provision,
    { target: 'clean', clean_steps: [{ step: 'x' }] },
    400,
    "Invalid clean_steps: 'interface' is a required property",
  ],
  [82, 'PUT', `${node}/states/power`, {}, 400, 'Missing mandatory parameter: target'],
  [82, 'PUT', `${node}/states/power`, { target: 'power on', timeout: 'x' }, 400, 'Expected an integer for timeout: x'],
  [
    82,
    'PUT',
    `${node}/states/console`,
    { enabled: 'perhaps' },
    400,
    `Invalid enabled: Unrecognized value 'perhaps', ${booleans}`,
  ],
  [82, 'PUT', `${node}/states/console?enabled=true`, undefined, 202, ''],
  [82, 'PUT', `${node}/maintenance?reason=repair`, undefined, 202, ''],
  [
    82,
    'PUT',
    `${node}/states/boot_mode`,
    { target: 'fast' },
    400,
    'Invalid boot mode fast requested for node. Allowed boot modes are: bios, uefi',
  ],
  [
    82,
    'PUT',
    `${node}/traits/CUSTOM_C`,
    { colour: 1 },
    400,
    "Schema error for body: Additional properties are not allowed ('colour' was unexpected)",
  ],
  [82, 'DELETE', `${node}/traits/CUSTOM_C`, undefined, 404, `Node ${NODE} doesn't have a trait 'CUSTOM_C'`],
  [
    82,
    'POST',
    `${node}/vifs`,
    { id: NOBODY, port_uuid: NOBODY, portgroup_uuid: NOBODY },
    400,
    'Cannot specify both port_uuid and portgroup_uuid',
  ],
  [66, 'POST', `${node}/vifs`, { id: NOBODY, port_uuid: NOBODY }, 204, ''],
  [
    82,
    'POST',
    '/v1/ports',
    { node_uuid: NODE, address: '52-54-00-aa-00-05' },
    400,
    'Expected valid MAC address for address: 52-54-00-aa-00-05',
  ],
  [82, 'GET', '/v1/ports?node_uuid=x', undefined, 400, 'Expected UUID for node_uuid: x'],
  [82, 'GET', '/v1/ports/nobody', undefined, 400, 'Expected UUID for port_uuid: nobody'],
  [1, 'GET', '/v1/ports?node=one', undefined, 406, 'Request not acceptable'],
  [82, 'POST', '/v1/chassis', undefined, 201, ''],
  [82, 'GET', '/v1/chassis/nobody', undefined, 400, 'Expected UUID for chassis_uuid: nobody'],
  [
    82,
    'GET',
    '/v1/drivers/nobody',
    undefined,
    404,
    'Could not find the following driver(s) or hardware type(s): nobody.',
  ],
  [82, 'GET', '/v1/conductors?sort_key=hostname', undefined, 200, ''],
  [82, 'GET', `${node}/allocation`, undefined, 404, `Allocation for node ${NODE} was not found`],
])('1.%i %s %s %j is answered %i %s', async (minor, method, path, body, status, said) => {
  const reply = await ask(minor, method, path, body)
  const told = faultText(await reply.text())
  expect({ status: reply.status, said: told.slice(0, said.length) }).toEqual({ status, said })
})

it('what has no route is told in the form of a web framework', async () => {
  const reply = await ask(82, 'GET', '/v1/nothing')
  expect(JSON.parse(((await reply.json()) as { error_message: string }).error_message)).toMatchObject({
    code: 404,
    title: 'Not Found',
  })
})

it('times have their offset from UTC and six digits', async () => {
  const reply = await ask(82, 'GET', node)
  expect((await reply.json()) as object).toMatchObject({
    created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00$/),
  })
})

it('the page behind one of a detailed list is detailed too', async () => {
  const reply = await ask(82, 'GET', '/v1/nodes/detail?limit=1')
  expect(((await reply.json()) as { next: string }).next).toMatch(/\/v1\/nodes\/detail\?limit=1&marker=/)
})

it('a driver shows the interfaces that its version has', async () => {
  const shown = async (minor: number) =>
    Object.keys((await (await ask(minor, 'GET', '/v1/drivers/fake-hardware')).json()) as object)
  expect(await shown(37)).not.toContain('default_rescue_interface')
  expect(await shown(38)).toContain('default_rescue_interface')
  expect(await shown(85)).not.toContain('default_firmware_interface')
})
