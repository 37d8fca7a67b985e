import { describe, expect, it } from 'vitest'
import { connect } from './client.ts'
import { readPower, reset } from './power.ts'
import { retryAfter } from './retry.ts'
import { findSystem } from './system.ts'
import { bmcWith, fault, options, reply, RESET, resources, said, SYSTEM, type Trouble } from './testing/troubled-bmc.ts'
import { virtualClock } from './testing/virtual-clock.ts'
import type { Transport } from './transport.ts'

async function poll(transport: Transport): Promise<{ state: string; elapsed: number }> {
  const clock = virtualClock()
  const state = await clock.run(
    (async () => {
      const bmc = await connect({ ...options, transport, clock })
      return readPower(bmc, await findSystem(bmc))
    })(),
  )
  return { state, elapsed: clock.now() }
}

async function press(transport: Transport): Promise<number> {
  const clock = virtualClock()
  const work = async (): Promise<void> => {
    const bmc = await connect({ ...options, transport, clock })
    await reset(bmc, await findSystem(bmc), 'restart')
  }
  await clock.run(work())
  return clock.now()
}

describe('reading is asked again, and comes through', () => {
  it.each<[string, Trouble[]]>([
    ['500', [reply(500), reply(500)]],
    ['502 and 504', [reply(502), reply(504, 'gateway')]],
    ['503 with Retry-After', [reply(503, undefined, { 'retry-after': '5' })]],
    ['429', [reply(429)]],
    ['a broken connection', [fault('reset'), fault('reset')]],
    ['a kept connection that had been closed', [fault('stale'), fault('stale')]],
    ['silence', [fault('silent')]],
    ['a refused connection', [fault('refused'), fault('refused')]],
    ['an empty body', [reply(200)]],
    ['half a body', [reply(200, '{"PowerState": "O')]],
    ['HTML', [reply(200, '<html>')]],
    ['a session that the BMC has forgotten', [reply(401)]],
    ['a redirect within the BMC', [reply(308, undefined, { location: `${SYSTEM}/` })]],
    ['POST of the machine', [reply(400, said('UnableToModifyDuringSystemPOST', 'in POST'))]],
  ])('%s', async (_name, trouble) => {
    resources[`${SYSTEM}/`] = resources[SYSTEM]
    const { transport } = bmcWith(SYSTEM, trouble)
    expect((await poll(transport)).state).toBe('on')
  })

  it('waits for no longer than a minute, whatever Retry-After says', () => {
    expect(retryAfter(reply(503, undefined, { 'retry-after': '86400' }))).toBe(60_000)
    expect(retryAfter(reply(503, undefined, { 'retry-after': 'Tue, 24 Nov 2026 02:00:00 GMT' }))).toBeUndefined()
  })

  it('waits as long as Retry-After says', async () => {
    const { transport } = bmcWith(SYSTEM, [reply(503, undefined, { 'retry-after': '20' })])
    expect((await poll(transport)).elapsed).toBeGreaterThanOrEqual(20_000)
  })
})

describe('acting is asked again only when nothing was done', () => {
  it.each<[string, Trouble[], number]>([
    ['503', [reply(503)], 2],
    ['429', [reply(429)], 2],
    ['a refused connection', [fault('refused')], 2],
    ['a session that the BMC has forgotten', [reply(401)], 2],
    ['a busy POST', [reply(409, said('UnableToModifyDuringSystemPOST', 'in POST'))], 2],
  ])('%s: again', async (_name, trouble, times) => {
    const { transport, asked } = bmcWith(RESET, trouble)
    await press(transport)
    expect(asked.filter(({ path }) => path === RESET).length).toBe(times)
  })

  it.each<[string, Trouble, RegExp]>([
    ['500', reply(500), /HTTP 500; try again, and restart the BMC/],
    [
      'a broken connection',
      fault('reset', 'the connection broke'),
      /the connection broke within 60 s; check its address/,
    ],
    ['silence', fault('silent', 'no answer'), /no answer within 60 s/],
    ['409', reply(409, said('ResourceInUse', 'In use.')), /HTTP 409, "In use"; the state of the machine forbids it/],
    ['a redirect', reply(302, undefined, { location: RESET }), /HTTP 302; use the address that it redirects to/],
  ])('%s: once', async (_name, trouble, why) => {
    const { transport, asked } = bmcWith(RESET, [], trouble)
    await expect(press(transport)).rejects.toThrow(why)
    expect(asked.filter(({ path }) => path === RESET).length).toBe(1)
  })
})

describe('a change that crosses another', () => {
  const path = '/redfish/v1/Managers/1'
  const manager = (resources[path] = { '@odata.etag': '"2"', DateTime: 'now' })
  const change = async (trouble: Trouble[]) => {
    const { transport, asked } = bmcWith(path, trouble)
    const clock = virtualClock()
    const work = async (): Promise<void> => {
      const bmc = await connect({ ...options, transport, clock })
      await bmc.change({ path, etag: '"1"' }, { DateTime: 'then' }, { operation: 'set clock' })
    }
    const outcome = await clock.run(work()).catch((error: unknown) => error)
    return { outcome, methods: asked.filter((each) => each.path === path).map(({ method }) => method) }
  }

  it.each([412, 428])('is read again and made upon what is there now, where HTTP %i says so', async (status) => {
    expect(await change([reply(status)])).toEqual({ outcome: undefined, methods: ['PATCH', 'GET', 'PATCH'] })
  })

  it('is made without a condition where each is refused, and told when that is refused too', async () => {
    const there = reply(200, manager)
    const { outcome, methods } = await change([reply(412), there, reply(412), reply(412)])
    expect(methods).toEqual(['PATCH', 'GET', 'PATCH', 'PATCH'])
    expect(String(outcome)).toMatch(/BMC bmc\.example, set clock: HTTP 412; somebody else changed .*try again/)
  })
})

describe('what stays wrong is said with BMC, operation and remedy', () => {
  it.each<[string, Trouble, RegExp]>([
    ['401', reply(401), /user "admin" or its password is not accepted \(HTTP 401\); correct them/],
    ['403', reply(403, said('InsufficientPrivilege', 'No.')), /HTTP 403, "No"; give this account the privilege/],
    ['404', reply(404), /HTTP 404; check the system id/],
    ['405', reply(405), /HTTP 405; this BMC does not allow it/],
    ['412', reply(412), /HTTP 412; somebody else changed/],
    ['500', reply(500), /HTTP 500; try again, and restart the BMC/],
    ['503', reply(503, said('ServiceTemporarilyUnavailable', 'Busy.')), /HTTP 503, "Busy"/],
    ['empty bodies', reply(200), /an empty answer, which is not Redfish/],
    ['rubbish', reply(200, 'hello'), /no JSON object, which is not Redfish/],
    [
      'a redirect to another host',
      reply(302, undefined, { location: 'https://evil.example/' }),
      /redirects to https:\/\/evil\.example; give that address/,
    ],
    [
      'a redirect to plain HTTP',
      reply(302, undefined, { location: `http://bmc.example${SYSTEM}` }),
      /redirects to http:\/\/bmc\.example/,
    ],
    ['redirects in circles', reply(302, undefined, { location: SYSTEM }), /HTTP 302/],
    [
      'an expired certificate',
      fault('tls', "the BMC's TLS certificate has expired"),
      /certificate has expired; renew the certificate/,
    ],
    ['a flood', fault('flood', 'an answer of more than 16777216 bytes'), /more than 16777216 bytes/],
    ['silence', fault('silent', 'no answer'), /no answer within 60 s; check its address/],
    ['no such host', fault('name', 'its host name is not known'), /host name is not known/],
    ['a null power state', reply(200, { PowerState: null }), /tells no power state/],
    ['a power state of its own', reply(200, { PowerState: 'constructor' }), /tells constructor power state/],
  ])('%s', async (_name, trouble, why) => {
    const { transport } = bmcWith(SYSTEM, [], trouble)
    const error = (await poll(transport).catch((reason: unknown) => reason)) as Error
    expect(error.message).toMatch(/^BMC bmc\.example, (find system|read power state): /)
    expect(error.message).toMatch(why)
    expect(error.message).not.toContain('hunter2')
  })

  it('does not try a refused password again', async () => {
    const { transport, asked } = bmcWith('/redfish/v1/SessionService/Sessions', [], reply(401))
    await expect(poll(transport)).rejects.toThrow(/log in: user "admin" or its password is not accepted/)
    expect(asked.filter(({ method }) => method === 'POST').length).toBe(1)
  })

  it('does not log in again and again to a BMC that refuses what it has just given', async () => {
    const { transport, asked } = bmcWith(SYSTEM, [], reply(401))
    await expect(poll(transport)).rejects.toThrow(/not accepted/)
    expect(asked.filter(({ method }) => method === 'POST').length).toBe(2)
  })

  it('takes Basic when the BMC has no session left', async () => {
    const { transport } = bmcWith(
      '/redfish/v1/SessionService/Sessions',
      [],
      reply(503, said('SessionLimitExceeded', 'Full.')),
    )
    expect((await poll(transport)).state).toBe('on')
  })

  it('never quotes the password that a BMC quotes', async () => {
    const { transport } = bmcWith(
      SYSTEM,
      [],
      reply(400, said('PropertyValueFormatError', 'The value hunter2-secret is wrong')),
    )
    await expect(poll(transport)).rejects.toThrow('The value ****** is wrong')
  })
})
