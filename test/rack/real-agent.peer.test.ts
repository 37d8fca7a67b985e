import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync, readSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Server } from 'node:net'
import { join } from 'node:path'
import { getRequestListener } from '@hono/node-server'
import { expect, it, onTestFinished } from 'vitest'
import { runAgent } from '../../agent/agent.ts'
import { realClock as agentClock } from '../../agent/clock.ts'
import { loopDisk, temporaryFolder, tool } from '../../agent/disks/loop-disk.ts'
import { identify } from '../../agent/disks/identify.ts'
import { deployImage } from '../../agent/image/deploy.ts'
import { createLog } from '../../agent/log.ts'
import type { Machine as AgentMachine } from '../../agent/machine/machine.ts'
import { readSettings } from '../../agent/settings.ts'
import { AgentBusy, AgentRefusal, httpsAgentClient } from '../../appliance/agents/client.ts'
import { agentDoor } from '../../appliance/agents/door.ts'
import { siteAgents } from '../../appliance/agents/site-agents.ts'
import { selfSigned } from '../../appliance/certificates.ts'
import type { Clock } from '../../appliance/clock.ts'
import { imageServer } from '../../appliance/images/server.ts'
import { openAgentRows } from '../../appliance/ledger/agents.ts'
import { openLedger } from '../../appliance/ledger/ledger.ts'
import { openMachines } from '../../appliance/ledger/machines.ts'
import { openVault } from '../../appliance/ledger/vault.ts'
import { memoryLog } from '../../appliance/testing/memory-log.ts'
import { machine, plan, port, step } from '../../appliance/testing/plans.ts'
import { stepContext } from '../../appliance/testing/step-context.ts'
import { deployStepsResult } from '../../contract/agent.ts'

/** The site's side of the agent protocol and the ramdisk's own agent, over real TLS, with nothing of either replaced but the server
 * that the agent runs on. */

const MiB = 1 << 20
const mac = '52:54:00:aa:00:01'
const never = new AbortController().signal
const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')
/** Twenty times as hasty as the product between two questions. */
const clock: Clock = {
  now: () => new Date(),
  sleep: async (ms) => void (await new Promise((resolve) => setTimeout(resolve, ms / 20))),
}

async function serving(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  return (server.address() as AddressInfo).port
}

/** A site with one machine, whose agent has found it. */
async function meet(server: Partial<AgentMachine> = {}) {
  const ledger = openLedger(':memory:')
  const machines = openMachines(ledger, () => 'boot token')
  const of = machine({ ports: [port(mac)], properties: { root_device: { size: '<= 1' } } })
  machines.learn(of, 1)
  const rows = openAgentRows(ledger, openVault('key'))
  const seen: string[] = []
  const door = agentDoor({
    machines,
    rows,
    clock,
    log: memoryLog(),
    token: () => randomBytes(32).toString('base64url'),
    events: { seen: (_, kind) => void seen.push(kind) },
    expectsAgent: () => true,
  })
  const pem = await selfSigned('127.0.0.1', new Date())
  const answer = getRequestListener((request) => door.fetch(request))
  const tls = createTlsServer(
    { cert: pem.certificate, key: pem.privateKey },
    (asked, reply) => void answer(asked, reply),
  )
  const doorPort = await serving(tls)

  const did: string[] = []
  const log = createLog(() => undefined, agentClock.now)
  const settings = readSettings(
    `ipa-api-url=https://127.0.0.1:${doorPort} ipa-listen-host=127.0.0.1 ipa-listen-port=0 ipa-insecure=1`,
  )
  const trust = { insecure: true }
  const stop = new AbortController()
  const bare = {
    identify,
    sync: () => Promise.resolve(void did.push('sync')),
    powerOff: () => void did.push('power off'),
    ...server,
  } as AgentMachine
  const running = runAgent(
    {
      settings,
      trust,
      log,
      clock: { ...agentClock, sleep: (ms, signal) => agentClock.sleep(ms / 100, signal) },
      machine: () => bare,
      addresses: () => Promise.resolve([mac]),
      setClock: () => Promise.resolve(),
      addressTowards: () => Promise.resolve('127.0.0.1'),
    },
    stop.signal,
  )
  onTestFinished(async () => {
    stop.abort()
    await running
    tls.closeAllConnections()
    ledger.close()
  })
  const client = httpsAgentClient(60_000)
  const agents = siteAgents({ rows, client, token: () => 't'.repeat(43), clock, lastSeen: () => undefined })
  await expect.poll(() => agents.isUp(of.node), { timeout: 60_000 }).toBe(true)
  const row = rows.get(of.node)!
  const address = { url: row.url!, token: row.token, certificate: row.certificate }
  const work = plan(of, 1, [step('deploy.write_image')])
  return { agents, client, address, did, seen, work, ...stepContext(work, clock, never) }
}

it('looks up, sends its certificate, and tells what it can do to who trusts that alone', async () => {
  const { agents, address, on, seen, client } = await meet()
  expect(address.url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/)
  expect(address.certificate).toContain('BEGIN CERTIFICATE')
  expect(seen.slice(0, 2)).toEqual(['lookup', 'heartbeat'])
  const steps = deployStepsResult.parse(await agents.call(on, 'deploy.get_deploy_steps', { node: {}, ports: [] }))
  expect(
    Object.values(steps.deploy_steps)
      .flat()
      .map((each) => each.step),
  ).toContain('write_image')
  await expect(client.commands({ ...address, certificate: undefined }, never)).rejects.toThrow('certificate')
  await expect(client.commands({ ...address, token: 'x'.repeat(40) }, never)).rejects.toBeInstanceOf(AgentRefusal)
})

it('syncs and powers off', async () => {
  const { agents, on, did } = await meet()
  await agents.call(on, 'standby.sync', {})
  await agents.powerOff(on)
  await expect.poll(() => did).toEqual(['sync', 'sync', 'power off'])
})

it('refuses a second command while it is busy, which is waited for', async () => {
  let finish = (): void => {}
  const { agents, client, address, on } = await meet({
    disks: () => Promise.resolve([]),
    eraseMetadata: () => Promise.resolve(),
    eraseFully: () => Promise.resolve(),
    eraseExpress: () => Promise.resolve(),
    installContainer: () => Promise.resolve({ said: 'installed' }),
    forgetLoaders: () => Promise.resolve(),
    collectLogs: () => new Promise((resolve) => (finish = () => resolve(Buffer.from('logs')))),
  })
  const logs = agents.call(on, 'log.collect_system_logs', {})
  const asking = (): Promise<unknown> => client.command(address, 'standby.sync', {}, true, never)
  await expect.poll(() => asking().catch((error: unknown) => error)).toBeInstanceOf(AgentBusy)
  const patient = agents.call(on, 'standby.sync', {})
  finish()
  await expect(logs).resolves.toEqual({ system_logs: Buffer.from('logs').toString('base64') })
  await expect(patient).resolves.toBeDefined()
})

it('writes an image of the site to its disk, is followed meanwhile, and says why when it fails', async () => {
  const disk = loopDisk(64 * MiB)
  const trust = { insecure: true }
  const log = createLog(() => undefined, agentClock.now)
  const means = { trust, clock: agentClock, log, seconds: 60, retries: 2, retryInterval: 0, imageKeys: [] }
  const { agents, work, on, notes } = await meet({
    disks: () => Promise.resolve([disk]),
    writeImage: async (wanted, to, progress) => ({ said: await deployImage(wanted, to, means, progress) }),
  })
  const folder = temporaryFolder()
  const raw = join(folder, 'raw')
  writeFileSync(raw, randomBytes(20 * MiB))
  tool('sgdisk', '--clear', '--new', '1:2048:+10M', raw)
  const image = readFileSync(raw)
  const file = `sha256-${sha256(image)}`
  writeFileSync(join(folder, file), image)
  const images = imageServer({
    secret: 'secret',
    isOpen: () => true,
    path: (name) => join(folder, name),
    chunked: async (_plan, _path, _request, reply) => void reply.destroy(),
  })
  const imagePort = await serving(createServer(images.listener))
  const image_info = {
    id: 'random',
    urls: [`http://127.0.0.1:${imagePort}${images.pathOf(work.id, file)}`],
    disk_format: 'raw',
    os_hash_algo: 'sha256',
    os_hash_value: sha256(image),
  }
  const deploy = (info: object) =>
    agents.runStep(on, 'deploy', {
      step: { interface: 'deploy', step: 'write_image' },
      args: { image_info: info, configdrive: null },
      busy: 'writing',
      percent: (own) => own,
    })
  await deploy(image_info)
  const written = Buffer.alloc(image.length)
  const device = openSync(disk.name, 'r')
  readSync(device, written, 0, written.length, 0)
  closeSync(device)
  // The table is adjusted to the larger disk; all of the partition is the image's.
  const partition = [MiB, 11 * MiB] as const
  expect(sha256(written.subarray(...partition))).toBe(sha256(image.subarray(...partition)))
  expect(tool('sgdisk', '--verify', disk.name)).toContain('No problems found')
  expect(notes.every(({ percent }) => percent !== undefined && percent >= 0 && percent <= 100)).toBe(true)

  const { on: another } = stepContext(work, clock, never)
  Object.assign(on, another)
  await expect(deploy({ ...image_info, os_hash_value: '0'.repeat(64) })).rejects.toThrow(
    /execute_deploy_step failed: .*0{64}.*/,
  )
})
