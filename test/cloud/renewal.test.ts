import { createHash, randomUUID } from 'node:crypto'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { Renewed } from '../../contract/appliance-certificate.ts'
import { UserError } from '../../contract/api/faults.ts'
import { getAppliance } from '../../lambdas/store/appliances.ts'
import { alive, type ControlPlane, openControlPlane, withSite } from './control-plane.ts'

const DAY = 86_400
let cloud: ControlPlane
let appliance: string
let calls: string[]
beforeEach(async () => {
  cloud = await openControlPlane()
  appliance = (await withSite(cloud)).appliance
  calls = []
  const { identity } = cloud.platform
  const { issue } = identity
  identity.issue = async (...asked) => (calls.push(`issue ${asked[1]}`), issue(...asked))
  identity.retire = async (_, keep) => void calls.push(`retire all but ${keep}`)
  identity.revoke = async () => void calls.push('revoke')
})
afterEach(() => cloud[Symbol.asyncDispose]())

const digest = (csr: string): string =>
  createHash('sha256')
    .update(appliance + csr)
    .digest('hex')
const say = (certificate: { sha256: string; csr?: string }): Promise<void> => alive(cloud, appliance, { certificate })
const renewed = (): Renewed[] => cloud.sent(appliance).filter((each) => each.kind === 'renewed')
const shown = async () =>
  (await cloud.client.conductors.get('box-1', { fields: 'certificate_expires_at' })).certificate_expires_at
const record = () => getAppliance(cloud.platform.table, appliance)
/** What people could have heard in the last hour. */
async function heard(): Promise<string[]> {
  cloud.pass(5)
  const after = new Date(cloud.platform.clock.now().getTime() - 3_600_000).toISOString()
  const { events } = await cloud.client.events.page({ after, kind: 'site' })
  return events.map(({ text }) => text)
}

/** Of the enrolment. */
const first = (): string => digest('a request')

it('the end of a certificate’s life is shown to who asks for it, from the enrolment on', async () => {
  const inAll = await cloud.client.conductors.list()
  expect(inAll[0]).not.toHaveProperty('certificate_expires_at')
  expect(await shown()).toBe('2027-11-23T10:00:00.000000+00:00')
})

it('a request is answered with a certificate, again and again with the same', async () => {
  cloud.pass(250 * DAY)
  await Promise.all([say({ sha256: first(), csr: 'two' }), say({ sha256: first(), csr: 'two' })])
  await say({ sha256: first(), csr: 'two' })
  expect(new Set(renewed().map(({ certificate }) => certificate)).size).toBe(1)
  expect(renewed()[0]).toMatchObject({
    issued_at: '2027-07-31T10:00:00.000Z',
    expires_at: '2028-07-30T10:00:00.000Z',
    authorities: 'authorities',
  })
  expect((await record())?.certificate_sha256).toBe(first())
})

it('the former is retired when the appliance is heard of by the new one, and not before', async () => {
  cloud.pass(250 * DAY)
  await say({ sha256: first(), csr: 'two' })
  await say({ sha256: first() })
  expect(calls).toEqual(['issue two'])
  await say({ sha256: digest('two') })
  await say({ sha256: digest('two') })
  expect(calls).toEqual(['issue two', `retire all but ${digest('two')}`])
  expect((await record())?.certificate_sha256).toBe(digest('two'))
  expect(await shown()).toBe('2028-07-30T10:00:00.000000+00:00')
})

it('what was said before, and comes later, has no effect', async () => {
  cloud.pass(250 * DAY)
  await say({ sha256: first(), csr: 'two' })
  await say({ sha256: digest('two') })
  cloud.pass(DAY)
  await say({ sha256: first(), csr: 'two' })
  await say({ sha256: first() })
  expect(calls.filter((each) => each.startsWith('issue'))).toEqual(['issue two'])
  expect((await record())?.certificate_sha256).toBe(digest('two'))
})

it('a retirement that failed is made up for at the next sign of life', async () => {
  cloud.pass(250 * DAY)
  await say({ sha256: first(), csr: 'two' })
  const { retire } = cloud.platform.identity
  cloud.platform.identity.retire = () => Promise.reject(new Error('throttled'))
  await expect(say({ sha256: digest('two') })).rejects.toThrow('throttled')
  expect((await record())?.certificate_sha256).toBe(first())
  cloud.platform.identity.retire = retire
  await say({ sha256: digest('two') })
  expect((await record())?.certificate_sha256).toBe(digest('two'))
})

it('an appliance that asks without end gets one in ten minutes', async () => {
  cloud.pass(250 * DAY)
  for (const csr of ['two', 'three', 'four']) await say({ sha256: first(), csr })
  cloud.pass(601)
  await say({ sha256: first(), csr: 'five' })
  expect(calls).toEqual(['issue two', 'issue five'])
  // Of the one that another took the place of nobody wants to hear.
  await say({ sha256: digest('two') })
  expect(calls).toHaveLength(2)
})

it('one from before certificates were renewed gets one whenever it asks', async () => {
  const item = (await cloud.platform.table.get({ pk: `appliance#${appliance}`, sk: 'appliance' }))!
  const { certificate_expires_at: _, ...old } = (await record())!
  await cloud.platform.table.write([
    { delete: { pk: `appliance#${appliance}`, sk: 'certificate' } },
    { put: { ...item, value: old } },
  ])
  expect(await shown()).toBe(null)
  await alive(cloud, appliance)
  await say({ sha256: first(), csr: 'two' })
  await say({ sha256: digest('two') })
  expect(await shown()).toBe('2027-11-23T10:00:00.000000+00:00')
})

it('people hear once a day of a certificate that could not be issued, and why', async () => {
  cloud.platform.identity.issue = () => Promise.reject(new UserError(400, 'csr: the key must be ECDSA'))
  cloud.pass(250 * DAY)
  for (let each = 0; each < 3; each += 1) await say({ sha256: first(), csr: 'two' })
  const text =
    'The certificate of appliance box-1, good until 2027-11-23T10:00:00.000Z, could not be renewed: csr: the key must be ECDSA'
  expect(await heard()).toEqual([text])
  cloud.pass(DAY)
  for (let each = 0; each < 3; each += 1) await say({ sha256: first(), csr: 'two' })
  expect(await heard()).toEqual([text])
})

it('people hear of one that nobody renews once a day, before it ends and after', async () => {
  cloud.pass(303 * DAY)
  await cloud.tick()
  expect(await heard()).toEqual([])
  cloud.pass(2 * DAY)
  await cloud.tick()
  await cloud.tick()
  expect(await heard()).toEqual([
    'The certificate of appliance box-1 ends at 2027-11-23T10:00:00.000Z and is not renewed: it was last heard of at ' +
      '2026-11-23T10:00:00.000Z. See that it runs, is connected and up to date.',
  ])
  cloud.pass(61 * DAY)
  await cloud.tick()
  expect((await heard())[0]).toMatch(/ended at 2027-11-23.*enrol it again/)
  await say({ sha256: first(), csr: 'two' })
  await say({ sha256: digest('two') })
  cloud.pass(2 * DAY)
  await cloud.tick()
  expect(await heard()).toEqual([])
})

it('an appliance that is deleted while it asks is left without any', async () => {
  cloud.pass(250 * DAY)
  const { issue } = cloud.platform.identity
  cloud.platform.identity.issue = async (...asked) => {
    await cloud.client.conductors.delete('box-1', { force: true })
    return issue(...asked)
  }
  await say({ sha256: first(), csr: 'two' })
  expect(calls).toEqual(['revoke', 'issue two', 'revoke'])
  expect(renewed()).toEqual([])
})

it('what the site has to say of it is an event', async () => {
  const at = cloud.platform.clock.now().toISOString()
  const notice = { id: randomUUID(), seq: 1, at, kind: 'notice', subject: 'certificate', text: 'It was refused.' }
  await cloud.uplink(appliance, { v: 1, kind: 'reports', reports: [notice] })
  expect(await heard()).toEqual(['It was refused.'])
})
