import { createHash } from 'node:crypto'
import { copyFileSync, createReadStream, linkSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { buildTestImage } from '../../images/small-image.ts'
import { labRamdisk } from '../../lab/ramdisk.ts'
import { type Rack, startRack } from '../../rack/qemu/rack.ts'
import { serialTail } from '../../rack/qemu/serial.ts'
import { type Conductor, startConductor } from './conductor.ts'
import { httpUrl } from './configuration.ts'

/** Debian's unmodified ironic-conductor, a server in QEMU behind a Redfish BMC, and our ramdisk as its deploy ramdisk. */

const MINUTE = 60_000
const dir = mkdtempSync(join(tmpdir(), 'ironic-'))
const NODE = 'driven'
let rack: Rack
let ironic: Conductor

beforeAll(async () => {
  const [image, ramdisk] = [await buildTestImage(), await labRamdisk(() => {})]
  rack = await startRack({
    name: 'ironic',
    dir: join(dir, 'rack'),
    servers: [{ name: NODE, firmware: 'bios', diskMiB: 256, bmc: 'redfish' }],
  })
  ironic = await startConductor(rack, join(dir, 'ironic'))
  place(image.qcow2, join(ironic.httpRoot, 'image'))
  for (const file of ['kernel', 'initrd'] as const) place(ramdisk[file], join(ironic.httpRoot, file))
  const { bmc, mac } = rack.servers[0]!
  const node = await call<{ uuid: string }>('POST', '/v1/nodes', {
    name: NODE,
    driver: 'redfish',
    driver_info: {
      redfish_address: `https://${bmc.address}:${bmc.port}`,
      redfish_username: bmc.username,
      redfish_password: bmc.password,
      redfish_verify_ca: bmc.ca,
      deploy_kernel: `file://${join(ironic.httpRoot, 'kernel')}`,
      deploy_ramdisk: `file://${join(ironic.httpRoot, 'initrd')}`,
    },
    properties: { cpu_arch: 'x86_64', capabilities: 'boot_mode:bios', root_device: { name: 's== /dev/vda' } },
    instance_info: {
      image_source: `${httpUrl}/image`,
      image_os_hash_algo: 'sha256',
      image_os_hash_value: await sha256(image.qcow2),
      image_disk_format: 'qcow2',
      image_type: 'whole-disk',
    },
  })
  await call('POST', '/v1/ports', { node_uuid: node.uuid, address: mac })
}, 15 * MINUTE)

afterAll(async () => {
  await ironic?.stop()
  await rack?.stop()
  rmSync(dir, { recursive: true, force: true })
})

test(
  'ironic-conductor cleans a server by our agent, deploys it without another boot, and the disk starts',
  { timeout: 30 * MINUTE },
  async () => {
    const server = rack.servers[0]!
    await reach('manage', 'manageable', 3 * MINUTE)
    const cleaning = await reach('provide', 'available', 10 * MINUTE)
    expect(cleaning.seen).toContain('clean wait')
    expect(cleaning.node['driver_internal_info']).toMatchObject({ agent_version: '11.2.0' })
    const deploying = await reach('active', 'active', 10 * MINUTE, {
      configdrive: { meta_data: { hostname: 'driven' } },
    })
    expect(deploying.seen).toContain('wait call-back')
    expect(deploying.node).toMatchObject({ last_error: null, power_state: 'power on' })
    await server.waitForSerial(/BLOOMERY-INSTANCE hostname=driven /, { timeoutMs: 5 * MINUTE })
    const serial = readFileSync(server.serialLog, 'utf8')
    expect(serial.split('starting the agent')).toHaveLength(2)
    expect(commandsIn(serial)).toEqual([
      'clean.get_clean_steps',
      'clean.execute_clean_step',
      'log.collect_system_logs',
      'deploy.get_deploy_steps',
      'deploy.execute_deploy_step',
      'standby.get_partition_uuids',
      'log.collect_system_logs',
      'standby.power_off',
    ])
    expect(readdirSync(join(dir, 'ironic', 'deploy-logs'))).toHaveLength(2)
  },
)

/** What the agent was told, as its log on the serial port has it. */
function commandsIn(serial: string): string[] {
  return [...serial.matchAll(/"event":"command started","command":"([\w.]+)"/g)].map(([, name = '']) => name)
}

function place(from: string, to: string): void {
  try {
    linkSync(from, to)
  } catch {
    copyFileSync(from, to) // another file system
  }
}

async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path), hash)
  return hash.digest('hex')
}

async function call<T = unknown>(method: string, path: string, body?: unknown): Promise<T> {
  const headers = { 'x-openstack-ironic-api-version': '1.78', 'content-type': 'application/json' }
  const reply = await fetch(ironic.endpoint + path, {
    method,
    headers,
    body: body === undefined ? null : JSON.stringify(body),
  })
  const text = await reply.text()
  if (!reply.ok) throw new Error(`${method} ${path}: ${reply.status} ${text.slice(0, 1000)}`)
  return (text === '' ? undefined : JSON.parse(text)) as T
}

interface Walk {
  node: Record<string, unknown>
  seen: unknown[]
}

/** Asks Ironic for the verb and waits; a state that ends in "failed" is told with what Ironic says of it. */
async function reach(target: string, goal: string, withinMs: number, more: object = {}): Promise<Walk> {
  await call('PUT', `/v1/nodes/${NODE}/states/provision`, { target, ...more })
  const until = Date.now() + withinMs
  const seen: unknown[] = []
  for (;;) {
    const node = await call<Record<string, unknown>>('GET', `/v1/nodes/${NODE}`)
    const state = node['provision_state']
    if (seen.at(-1) !== state) seen.push(state)
    if (state === goal && node['target_provision_state'] === null) return { node, seen }
    const failed =
      String(state).includes('failed') || (node['last_error'] !== null && node['target_provision_state'] === null)
    if (failed || Date.now() > until)
      throw new Error(
        `${target}: '${String(state)}' after ${seen.join(', ')}: ${String(node['last_error'])}; ${await tail()}`,
      )
    await pause(1000)
  }
}

async function tail(): Promise<string> {
  const log = readFileSync(ironic.logFile, 'utf8').split('\n')
  const trouble = log.filter((line) => / (ERROR|WARNING) /.test(line)).slice(-6)
  return [...trouble, 'The machine said last:', await serialTail(rack.servers[0]!.serialLog)].join('\n')
}
