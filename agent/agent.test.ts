import { once } from 'node:events'
import { createServer } from 'node:http'
import { request } from 'node:https'
import type { AddressInfo } from 'node:net'
import { expect, it, onTestFinished } from 'vitest'
import { cleanStepsResult, commandList, commandResult, deployStepsResult, heartbeat } from '../contract/agent.ts'
import type { CommandResult, Heartbeat } from '../contract/agent.ts'
import { runAgent, agentVersion } from './agent.ts'
import { realClock } from './clock.ts'
import { GiB, type Disk } from './disks/disk.ts'
import { createLog } from './log.ts'
import type { Machine } from './machine/machine.ts'
import { readSettings } from './settings.ts'

const uuid = '1be26c0b-03f2-4d2e-ae87-c02d7f33c123'
const token = 'kUoZ6GsV2nXm0wT4yQ8rB1cE5hJ7lP9aD3fN_iS-uvx'

/** Ironic's side of the door: two routes and a memory. */
async function ironic() {
  const beats: Heartbeat[] = []
  const told: { findings: unknown; beats: number; lookups: number }[] = []
  const lookups: string[] = []
  let refusals = 1
  const waiting: (() => void)[] = []
  const server = createServer((asked, response) => {
    if (asked.url === '/') return response.end(JSON.stringify({ default_version: { version: '1.104' } }))
    if (asked.url?.startsWith('/v1/lookup?addresses=')) {
      lookups.push(asked.url)
      const config = { heartbeat_timeout: 300, agent_token: token, tls_min_version: '1.3' }
      return response.end(JSON.stringify({ node: { uuid, properties: {} }, config }))
    }
    const isInspection = asked.url === '/v1/continue_inspection'
    if (asked.url !== `/v1/heartbeat/${uuid}` && !isInspection) return response.writeHead(404).end()
    let body = ''
    asked.on('data', (chunk: Buffer) => (body += chunk.toString()))
    return asked.on('end', () => {
      if (isInspection) {
        if (refusals-- > 0) return response.writeHead(503).end()
        told.push({ findings: JSON.parse(body), beats: beats.length, lookups: lookups.length })
        return response.writeHead(202).end(JSON.stringify({ uuid }))
      }
      beats.push(heartbeat.parse(JSON.parse(body)))
      response.writeHead(202).end()
      for (const wake of waiting.splice(0)) wake()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const beat = async (count: number) => {
    while (beats.length < count) await new Promise<void>((resolve) => waiting.push(resolve))
    return beats[count - 1] as Heartbeat
  }
  return { beat, told, lookups, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

const disk = (name: string, gib: number): Disk => ({
  name,
  size: gib * GiB,
  sector: 512,
  rotational: false,
  discards: true,
})

function paperMachine(did: string[], lockDown: () => void): Machine {
  const does = (what: string) => {
    did.push(what)
    return Promise.resolve()
  }
  return {
    disks: () => Promise.resolve([disk('/dev/vda', 8), disk('/dev/vdb', 80)]),
    eraseMetadata: ({ name }) => does(`erase ${name}`),
    eraseFully: ({ name }) => does(`erase all of ${name}`),
    eraseExpress: ({ name }) => does(`erase ${name} quickly`),
    installContainer: ({ container }, { name }) =>
      does(`install ${container.reference} on ${name}`).then(() => ({ said: 'installed' })),
    forgetLoaders: (arrays) => does(`forget the loaders of ${arrays.join()}`),
    async createArrays(config) {
      await does(`make ${JSON.stringify(config)}`)
      return { logical_disks: [{ volume_name: 'root' }] }
    },
    deleteArrays: () => does('delete arrays'),
    async writeImage({ image_info: { id } }, { name }, progress) {
      progress({ percent: 10, mb_per_second: 1, bytes: 1 })
      await does(`write ${id} to ${name}`)
      return { said: 'written' }
    },
    identify: () => Promise.resolve({ 'root uuid': null, partitions: {} }),
    installBoot: async ({ name }) => {
      await does(`boot entry for ${name}`)
      return 'made'
    },
    upkeep: {
      injectFiles: async (files, { name }) => {
        await does(`inject ${files.map(({ path }) => path).join()} into ${name}`)
        return `${files.length} files`
      },
      cleanBootRecords: async (patterns) => {
        await does(`clean boot records ${patterns?.join() ?? 'of disks'}`)
        return 'cleaned'
      },
      erasePstore: () => Promise.resolve('none'),
      burnProcessors: async (cpus, seconds) => {
        await does(`burn ${cpus} processors for ${seconds} s`)
        return 'burnt'
      },
      burnMemory: () => Promise.resolve('burnt'),
      burnDisk: ({ name }, { loops }) => does(`burn ${name} ${loops} times`),
      burnNetwork: ({ role, partner }) => Promise.resolve(`${role} of ${partner}`),
    },
    sync: () => does('sync'),
    powerOff: () => void did.push('power off'),
    reboot: () => void did.push('reboot'),
    loadKernel: ({ name }) => does(`load the kernel of ${name}`).then(() => ({ kernel: '/boot/vmlinuz' })),
    startKernel: () => void did.push('kexec'),
    collectLogs: () => Promise.resolve(Buffer.from('logs')),
    inventory: () => Promise.resolve({ disks: [] }),
    collected: () => Promise.resolve({ pci_devices: [] }),
    hashPassword: (password) => Promise.resolve(`$6$${password.length}`),
    allowRescue: (hash) => does(`rescue with ${hash}`),
    lockDown,
  }
}

async function start(parameters = '') {
  const api = await ironic()
  const did: string[] = []
  const lines: string[] = []
  const stop = new AbortController()
  const log = createLog((line) => void lines.push(line), realClock.now, true)
  const settings = readSettings(
    `ipa-api-url=${api.url} ipa-listen-host=127.0.0.1 ipa-listen-port=0 ${parameters.replaceAll('API', api.url)}`,
  )
  const running = runAgent(
    {
      settings,
      trust: {},
      log,
      // The five seconds between two heartbeats are for networks, not for tests.
      clock: { ...realClock, sleep: (milliseconds, signal) => realClock.sleep(milliseconds / 100, signal) },
      machine: (lockDown) => paperMachine(did, lockDown),
      addresses: () => Promise.resolve(['52:54:00:aa:00:01']),
      setClock: () => Promise.resolve(),
      addressTowards: () => Promise.resolve('127.0.0.1'),
    },
    stop.signal,
  )
  onTestFinished(async () => {
    stop.abort()
    await running
  })
  const { callback_url, agent_verify_ca: ca, ...first } = await api.beat(1)
  const call = (method: string, path: string, body?: unknown) => ask(`${callback_url}${path}`, ca ?? '', method, body)
  const command = async (name: string, params: Record<string, unknown> = {}, wait = false): Promise<CommandResult> =>
    commandResult.parse((await call('POST', `/v1/commands/?wait=${wait}&agent_token=${token}`, { name, params })).body)
  return { api, did, lines, running, first, call, command }
}

/** As a conductor asks: trusting the certificate of the heartbeat and nothing else. */
function ask(url: string, ca: string, method: string, body?: unknown): Promise<{ status: number; body: unknown }> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, ca, minVersion: 'TLSv1.3', agent: false }, (reply) => {
      let text = ''
      reply.on('data', (chunk: Buffer) => (text += chunk.toString()))
      reply.on('end', () => resolve({ status: reply.statusCode ?? 0, body: JSON.parse(text) }))
    })
    sent.on('error', reject)
    sent.end(body === undefined ? undefined : JSON.stringify(body))
  })
}

const node = { uuid, properties: { root_device: { size: '>= 50' } }, instance_info: {} }
const image_info = { id: 'debian', urls: ['http://192.0.2.1/debian.raw'], checksum: 'a'.repeat(64) }
const step = (name: string, args?: object) => ({ interface: 'deploy', step: name, args })

it('goes through a whole deploy as a conductor drives it', async () => {
  const { api, did, first, call, command, lines } = await start()
  expect(first).toMatchObject({ agent_token: token, agent_version: agentVersion })

  const steps = await command('deploy.get_deploy_steps', { node, ports: [] }, true)
  const offered = deployStepsResult.parse(steps.command_result)
  expect(Object.values(offered.deploy_steps)[0]?.map((each) => each.step)).toContain('write_image')

  const write = step('write_image', { image_info, configdrive: 'H4sIAAAA' })
  const deploy_version = offered.hardware_manager_version
  const begun = await command('deploy.execute_deploy_step', { step: write, node, ports: [], deploy_version })
  expect(begun).toMatchObject({ command_name: 'execute_deploy_step', command_error: null })
  await api.beat(2)
  const list = commandList.parse((await call('GET', `/v1/commands/?agent_token=${token}`)).body)
  expect(list.commands.at(-1)).toMatchObject({
    id: begun.id,
    command_status: 'SUCCEEDED',
    command_result: { deploy_result: 'written', deploy_step: { interface: 'deploy', step: 'write_image' } },
  })
  expect(did).toEqual(['write debian to /dev/vdb'])

  const uuids = await command('standby.get_partition_uuids')
  expect(uuids.command_result).toHaveProperty(['root uuid'])
  const loader = { root_uuid: null, efi_system_part_uuid: null, target_boot_mode: 'uefi' }
  expect((await command('image.install_bootloader', loader, true)).command_result).toEqual({
    result: 'install_bootloader: made',
  })
  expect((await command('log.collect_system_logs')).command_result).toEqual({ system_logs: 'bG9ncw==' })
  expect((await command('standby.sync')).command_status).toBe('SUCCEEDED')
  expect((await command('standby.power_off', {}, true)).command_status).toBe('SUCCEEDED')
  expect(did.slice(1)).toEqual(['boot entry for /dev/vdb', 'sync', 'sync', 'power off'])
  expect(lines.join('')).not.toContain(token)
})

it('says what the machine consists of before it looks itself up as what it was told that it is, again where the site was busy', async () => {
  const { api } = await start('ipa-inspection-callback-url=API/v1/continue_inspection')
  expect(api.told).toEqual([{ findings: { inventory: { disks: [] }, pci_devices: [] }, beats: 0, lookups: 0 }])
  expect(api.lookups[0]).toMatch(new RegExp(`&node_uuid=${uuid}$`))
})

it('loads and starts the kernel of what it wrote, and of nothing else', async () => {
  const { did, command } = await start()
  expect((await command('standby.load_kernel', {}, true)).command_status).toBe('FAILED')
  await command('deploy.execute_deploy_step', { step: step('write_image', { image_info }), node, ports: [] }, true)
  const loaded = await command('standby.load_kernel', {}, true)
  expect(loaded).toMatchObject({ command_status: 'SUCCEEDED', command_result: { kernel: '/boot/vmlinuz' } })
  await command('standby.start_kernel', {}, true)
  expect(did).toEqual(['write debian to /dev/vdb', 'sync', 'load the kernel of /dev/vdb', 'sync', 'kexec'])
})

it('cleans every disk, and asks for new steps when those are of another version', async () => {
  const { did, command } = await start()
  const listed = await command('clean.get_clean_steps', { node, ports: [] }, true)
  const { clean_steps, hardware_manager_version: clean_version } = cleanStepsResult.parse(listed.command_result)
  const erase = Object.values(clean_steps)[0]?.[0]
  expect(erase).toMatchObject({ step: 'erase_devices_metadata', priority: 99 })
  const params = { step: erase, node, ports: [], clean_version }
  const done = await command('clean.execute_clean_step', params, true)
  expect(done).toMatchObject({ command_status: 'SUCCEEDED', command_result: { clean_result: null } })
  expect(did).toEqual(['erase /dev/vda', 'erase /dev/vdb'])
  const other = { ...params, clean_version: Object.fromEntries(Object.keys(clean_version).map((name) => [name, '0'])) }
  expect((await command('clean.execute_clean_step', other, true)).command_status).toBe('CLEAN_VERSION_MISMATCH')
})

it('refuses a stranger, a step that it has not, and a write without an image', async () => {
  const { call, command, did } = await start()
  expect((await call('GET', '/v1/commands/?agent_token=wrong')).status).toBe(401)
  const missing = await command('deploy.execute_deploy_step', { step: step('burn_in'), node, ports: [] }, true)
  expect(missing).toMatchObject({
    command_status: 'FAILED',
    command_error: { message: expect.stringContaining('burn_in') as string },
  })
  const empty = await command('deploy.execute_deploy_step', { step: step('write_image', {}), node, ports: [] }, true)
  expect(empty).toMatchObject({ command_status: 'FAILED', command_error: { type: 'InvalidCommandParamsError' } })
  const nowhere = { ...node, properties: { root_device: { serial: 'nobody' } } }
  const write = { step: step('write_image', { image_info }), node: nowhere, ports: [] }
  const lost = await command('deploy.execute_deploy_step', write, true)
  expect(lost).toMatchObject({ command_status: 'FAILED', command_error: { type: 'DeviceNotFound' } })
  expect((await command('standby.get_partition_uuids')).command_status).toBe('FAILED')
  expect(did).toEqual([])
})

it('lets people in with the password of a rescue, of which nothing is told', async () => {
  const { command, did, lines } = await start()
  const given = await command('rescue.finalize_rescue', { rescue_password: 'let me in', hashed: false })
  expect(given).toMatchObject({ command_status: 'SUCCEEDED', command_result: null })
  await command('rescue.finalize_rescue', { rescue_password: '$6$hash', hashed: true })
  expect(did).toEqual(['rescue with $6$9', 'rescue with $6$hash'])
  expect(JSON.stringify([given, lines])).not.toContain('let me in')
  const refused = await command('rescue.finalize_rescue', { rescue_password: 'two\nlines' }).catch(() => undefined)
  expect(refused).toBeUndefined()
  expect(did).toHaveLength(2)
})

it('burns in as the node says, and cleans what systems left in the firmware', async () => {
  const { did, command } = await start()
  const driver_info = { agent_burnin_cpu_timeout: 60, agent_burnin_fio_disk_loops: 2 }
  const clean = (name: string, args?: object) =>
    command('clean.execute_clean_step', { step: step(name, args), node: { ...node, driver_info }, ports: [] }, true)
  expect((await clean('burnin_cpu')).command_result).toMatchObject({ clean_result: 'burnt' })
  expect((await clean('burnin_disk')).command_result).toMatchObject({
    clean_result: '2 disks written and read, without an error',
  })
  expect((await clean('burnin_network')).command_error).toMatchObject({
    message: expect.stringContaining('must have a role and a partner') as string,
  })
  expect((await clean('clean_uefi_nvram', { match_patterns: ['^Old'] })).command_status).toBe('SUCCEEDED')
  expect((await clean('clean_uefi_nvram', { match_patterns: ['('] })).command_status).toBe('FAILED')
  const burns = ['burn 0 processors for 60 s', 'burn /dev/vda 2 times', 'burn /dev/vdb 2 times']
  expect(did).toEqual([...burns, 'clean boot records /^Old/'])
})

it('injects files of the node and of the step into the root disk, in a deploy and in service', async () => {
  const { did, command } = await start()
  const inject_files = [{ path: '/etc/one', content: '' }]
  const params = {
    step: step('inject_files', { files: [{ path: '/etc/two', content: 'aGk=' }] }),
    node: { ...node, properties: { ...node.properties, inject_files } },
    ports: [],
  }
  const deploy = await command('deploy.execute_deploy_step', params, true)
  expect(deploy.command_result).toMatchObject({ deploy_result: '2 files' })
  const service = await command('service.execute_service_step', params, true)
  expect(service.command_result).toMatchObject({ service_result: '2 files' })
  const listed = await command('service.get_service_steps', { node, ports: [] }, true)
  const { service_steps: steps } = listed.command_result as { service_steps: Record<string, { step: string }[]> }
  expect(Object.values(steps)[0]?.map((each) => each.step)).toContain('burnin_memory')
  expect(did).toEqual(['inject /etc/one,/etc/two into /dev/vdb', 'inject /etc/one,/etc/two into /dev/vdb'])
  const wrong = { ...params, step: step('inject_files', { files: [{ path: '../x' }] }) }
  expect((await command('deploy.execute_deploy_step', wrong, true)).command_status).toBe('FAILED')
})

it('ends when it is locked down', async () => {
  const { command, running } = await start()
  expect((await command('system.lockdown')).command_status).toBe('SUCCEEDED')
  expect(await running).toBe(true)
})
