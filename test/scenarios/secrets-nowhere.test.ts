import { randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { open } from '../../contract/seal.ts'
import { Fleet, type Member } from '../rack/paper/fleet.ts'
import { serve, type Served } from './bloomery-process.ts'
import { filesUnder } from './files-under.ts'

/** BMC passwords are nowhere in clear: not in what cloud and site write, log, send or are started with, over a whole life of machines. */

const WITHIN = 60_000
/** The site's clock runs so much faster than the cloud's, by which orders have deadlines of ten minutes. */
const SPEED = 10
const root = mkdtempSync(join(tmpdir(), 'bloomery-secrets-'))
let cloud: Served
let fleet: Fleet
/** What no file, message or process may show, by whose it is. */
const secrets = new Map<string, string>()
/** What the API answered, whomever. */
const answered: string[] = []

beforeAll(async () => {
  cloud = await serve(join(root, 'cloud'))
  const recording: typeof fetch = async (...asked) => {
    const reply = await fetch(...asked)
    answered.push(await reply.clone().text())
    return reply
  }
  fleet = new Fleet({
    endpoint: cloud.endpoint,
    fetch: recording,
    sites: 1,
    machinesPerSite: 2,
    speed: SPEED,
    drivers: ['ipmi', 'redfish'],
  })
  await fleet.join()
  for (const { machine } of fleet.members) secrets.set(`the password of ${machine.driver}`, machine.password)
  await fleet.pushImage('debian')
})
afterAll(async () => {
  await fleet?.tearDown()
  await cloud?.kill('SIGTERM')
  rmSync(root, { recursive: true, force: true })
})

/** As it may hide: as it is, in UTF-16, hexadecimal, base64 at each of three offsets, as of HTTP Basic, and percent-encoded. */
function disguises(secret: string): string[] {
  const inBase64 = [0, 1, 2].map((before) => {
    const text = Buffer.concat([Buffer.alloc(before), Buffer.from(secret)]).toString('base64')
    // Without the digits that its neighbours share.
    return text.slice(before === 0 ? 0 : before + 1, -4)
  })
  const basic = Buffer.from(`admin:${secret}`).toString('base64').replace(/=+$/, '').slice(0, -1)
  return [
    secret,
    Buffer.from(secret, 'utf16le').toString('latin1'),
    Buffer.from(secret).toString('hex'),
    basic,
    encodeURIComponent(secret),
    ...inBase64,
    ...inBase64.map((text) => text.replaceAll('+', '-').replaceAll('/', '_')),
  ]
}

const everythingIn = (dir: string) =>
  filesUnder(dir).map(({ path, bytes }): [string, string] => [path, bytes.toString('latin1')])

/** Of this program, which is the site's, and of whatever it or the cloud has started. */
function processes(): [string, string][] {
  const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  const text = (pid: string, file: string): string => {
    try {
      return readFileSync(`/proc/${pid}/${file}`, 'latin1')
    } catch {
      return '' // It has ended, or is nobody's.
    }
  }
  const parent = new Map(all.map((pid) => [pid, /^PPid:\s*(\d+)/m.exec(text(pid, 'status'))?.[1]]))
  const isOurs = (pid: string | undefined): boolean =>
    pid !== undefined && (pid === `${process.pid}` || pid === `${cloud.pid}` || isOurs(parent.get(pid)))
  return all
    .filter(isOurs)
    .flatMap((pid) => ['cmdline', 'environ'].map((file): [string, string] => [`/proc/${pid}/${file}`, text(pid, file)]))
}

function places(): [string, string][] {
  const [site] = fleet.sites
  return [
    ...everythingIn(root),
    ...everythingIn(fleet.dir),
    ...processes(),
    ['log of the cloud', cloud.log()],
    ['log of the site', fleet.logged.join('\n')],
    ['messages up', JSON.stringify(site!.crossed.sent)],
    ['messages down', JSON.stringify(site!.crossed.down)],
    ['answers of the API', answered.join('\n')],
  ]
}

function leaks(): string[] {
  const found = places()
  return [...secrets].flatMap(([whose, secret]) =>
    found
      .filter(([, text]) => disguises(secret).some((each) => text.includes(each)))
      .map(([where]) => `${whose}: ${where}`),
  )
}

/** The new password, which only the site can open. */
function rotated({ uuid, machine, site }: Member): string {
  const reports = site.crossed.sent.flatMap((message) => (message.kind === 'reports' ? message.reports : []))
  const report = reports.findLast((each) => each.kind === 'secret' && each.node === uuid)
  if (report?.kind !== 'secret') throw new Error(`no new password of ${machine.name} was told`)
  return open(report.value, `${uuid}/${report.key}`, site.identity.uuid, site.identity.sealingKey)
}

test('the search finds what is there, in each disguise', () => {
  const where = places().map(([place]) => place)
  for (const part of ['bloomery.sqlite', 'ledger.sqlite', '/cmdline', '/environ'])
    expect(
      where.some((each) => each.includes(part)),
      `${part} in ${where.join(' ')}`,
    ).toBe(true)
  const planted = `pw-${randomBytes(6).toString('hex')}`
  secrets.set('planted', planted)
  try {
    for (const text of disguises(planted)) {
      writeFileSync(join(root, 'planted'), `before ${text} after`)
      expect(leaks(), text).toEqual([`planted: ${join(root, 'planted')}`])
    }
    writeFileSync(join(root, 'planted'), Buffer.from(`{"xy":"${planted}","z":1}`).toString('base64'))
    expect(leaks()).toHaveLength(1)
  } finally {
    secrets.delete('planted')
    rmSync(join(root, 'planted'), { force: true })
  }
})

test('a whole deploy over IPMI and over Redfish, new passwords for both BMCs, and a tear-down write no password anywhere', async () => {
  const { members } = fleet
  await fleet.makeAvailable(members, WITHIN)
  expect(leaks()).toEqual([])
  await fleet.startDeploy(members, 'debian')
  expect(leaks()).toEqual([]) // while it is under way, too
  await fleet.reach(members, 'active', WITHIN)
  expect(leaks()).toEqual([])
  await fleet.bring(members, 'deleted', 'available', WITHIN)
  await fleet.bring(members, 'manage', 'manageable', WITHIN)
  const clean_steps = [{ interface: 'management', step: 'rotate_bmc_password', args: {} }]
  for (const { uuid } of members) await fleet.client.nodes.provision(uuid, 'clean', { clean_steps })
  await fleet.reach(members, 'manageable', WITHIN)
  for (const member of members) {
    const fresh = rotated(member)
    expect(fresh).not.toBe(member.machine.password)
    secrets.set(`the new password of ${member.machine.driver}`, fresh)
  }
  // The new ones count: the next plan logs in with them.
  await fleet.bring(members, 'provide', 'available', WITHIN)
  expect(secrets.size).toBe(4)
  const tokens = members
    .filter(({ machine }) => machine.driver === 'redfish')
    .flatMap(({ machine }) => [...machine.redfish.sessions.values()].map(({ token }) => token))
  expect(tokens).not.toEqual([])
  for (const [index, token] of tokens.entries()) secrets.set(`the token of session ${index} of redfish`, token)
  expect(leaks()).toEqual([])
})

test('what an event subscription lets its receiver be reached with is on the BMC alone', async () => {
  const { uuid, machine } = fleet.members.find((each) => each.machine.driver === 'redfish')!
  const token = `tok-${randomBytes(6).toString('hex')}`
  secrets.set('the header of a subscription', token)
  const wish = { Destination: 'https://events.example/', HttpHeaders: [{ Authorization: token }] }
  const made = await fetch(`${cloud.endpoint}/v1/nodes/${uuid}/vendor_passthru?method=create_subscription`, {
    method: 'POST',
    headers: { 'x-openstack-ironic-api-version': '1.115', 'content-type': 'application/json' },
    body: JSON.stringify(wish),
  })
  answered.push(await made.text())
  expect([made.status, answered.at(-1)]).toEqual([200, expect.stringContaining('events.example')])
  expect([...machine.redfish.subscriptions.values()].at(-1)?.headers).toEqual({ Authorization: token })
  expect(leaks()).toEqual([])
})

test('a wrong password is told as such, and not what it was', async () => {
  const [site] = fleet.sites
  for (const machine of site!.machines) {
    const wrong = `no-${randomBytes(6).toString('hex')}`
    secrets.set(`a wrong password of ${machine.driver}`, wrong)
    const { uuid } = await fleet.client.nodes.create({
      name: `wrong-${machine.driver}`,
      driver: machine.driver,
      conductor_group: site!.name,
      driver_info: machine.driverInfo(wrong),
      properties: { cpu_arch: 'x86_64' },
    })
    await fleet.client.nodes.provision(uuid, 'manage')
    const said = async (): Promise<string | null> => (await fleet.client.nodes.get(uuid)).last_error
    await expect.poll(said, { timeout: WITHIN }).toMatch(/password/)
  }
  expect(leaks()).toEqual([])
})
