import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { OpenStackShell } from '../clients/openstack-shell.ts'
import { buildTestImage } from '../images/small-image.ts'
import { API_PORT, startLab, type Lab } from '../lab/lab.ts'
import { ask, createNode } from '../lab/walk.ts'
import { makeVolume, SAYS } from './boot/volume.ts'
import { tellFailures } from './tell-failures.ts'

/** A server asked for, used and given back by OpenStack's unmodified client and ssh alone: no OpenStack behind it, and a machine in QEMU below. */

const MINUTE = 60_000
const dir = mkdtempSync(join(tmpdir(), 'openstack-'))
const key = join(dir, 'id_ed25519')
let lab: Lab
let shell: OpenStackShell
let image: { path: string; qcow2: string }

beforeAll(async () => {
  image = await buildTestImage()
  const servers = [{ name: 'bios-1', firmware: 'bios' as const, diskMiB: 256 }]
  lab = await startLab({ name: 'openstack', dir, servers, auth: 'keystone', volumes: 4, log: () => {} })
  const { BLOOMERY_USERNAME: username, BLOOMERY_PASSWORD: password, BLOOMERY_CA: cacert } = lab.environment
  const auth_url = `https://${lab.rack.cloud.address}:${API_PORT}/identity`
  const domains = { user_domain_name: 'Default', project_domain_name: 'Default' }
  const cloud = { auth: { auth_url, username, password, project_name: 'admin', ...domains }, cacert }
  const file = join(dir, 'clouds.yaml')
  // JSON is YAML.
  const operator = { auth: { auth_url, username, password, user_domain_name: 'Default', system_scope: 'all' }, cacert }
  const clouds = { lab: { ...cloud, region_name: 'RegionOne' }, operator: { ...operator, region_name: 'RegionOne' } }
  writeFileSync(file, JSON.stringify({ clouds }), { mode: 0o600 })
  shell = new OpenStackShell({ OS_CLIENT_CONFIG_FILE: file, OS_CLOUD: 'lab' }, lab.rack.cloud.netns)
  await createNode(lab, lab.rack.servers[0]!)
  await lab.client.nodes.patch('bios-1', [{ op: 'replace', path: '/automated_clean', value: false }])
  await lab.client.nodes.patch('bios-1', [
    { op: 'replace', path: '/rescue_interface', value: 'agent' },
    { op: 'replace', path: '/storage_interface', value: 'cinder' },
    { op: 'replace', path: '/properties/capabilities', value: 'boot_mode:bios,iscsi_boot:true' },
  ])
  await ask(lab.client, 'bios-1', 'manage', 'manageable', 3 * MINUTE)
  await ask(lab.client, 'bios-1', 'provide', 'available', 3 * MINUTE)
}, 15 * MINUTE)

tellFailures(() => lab)
afterAll(async () => {
  shell?.[Symbol.dispose]()
  await lab?.stop()
  rmSync(dir, { recursive: true, force: true })
})

async function openstack(line: string): Promise<string> {
  const { code, stdout, stderr } = await shell.run(line.split(' '))
  if (code !== 0) throw new Error(`openstack ${line}: ${stderr}`)
  return stdout
}
// oxlint-disable-next-line typescript/no-explicit-any -- what another program prints
const shown = async (line: string): Promise<any> => JSON.parse(await openstack(`${line} -f json`))

/** As the owner logs in from the site's network, once the machine has got so far. */
async function ssh(address: string, command: string): Promise<string> {
  const options = ['StrictHostKeyChecking=no', 'UserKnownHostsFile=/dev/null', 'BatchMode=yes', 'ConnectTimeout=5']
  const argv = ['netns', 'exec', lab.rack.site, 'ssh', '-q', '-i', key, ...options.flatMap((each) => ['-o', each])]
  let said = ''
  await expect
    .poll(
      async () => {
        const { stdout } = await promisify(execFile)('ip', [...argv, `root@${address}`, command], { timeout: 20_000 })
        said = stdout.trim()
        return said
      },
      { timeout: 5 * MINUTE, interval: 1000 },
    )
    .not.toBe('')
  return said
}

const status = async (): Promise<string> => (await shown('server show web')).status
const bootId = () => ssh(address, 'cat /proc/sys/kernel/random/boot_id')
let address = ''

test('what a server needs is made: image, flavor, key pair, network, subnet', async () => {
  await openstack(`image create small --disk-format qcow2 --container-format bare --file ${image.qcow2}`)
  expect(await shown('image show small')).toMatchObject({ status: 'active' })
  await openstack('--os-cloud operator baremetal node add trait bios-1 CUSTOM_LAB')
  const wants = ['resources:CUSTOM_BAREMETAL=1', 'trait:CUSTOM_LAB=required', 'capabilities:iscsi_boot=true']
  const properties = wants.map((each) => `--property ${each}`).join(' ')
  await openstack(`flavor create metal --ram 512 --disk 1 --vcpus 1 ${properties}`)
  await promisify(execFile)('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'me', '-f', key])
  await openstack(`keypair create mine --public-key ${key}.pub`)
  await openstack('network create rack')
  const pool = 'start=10.80.0.200,end=10.80.0.220'
  await openstack(
    `subnet create rack-4 --network rack --subnet-range 10.80.0.0/24 --gateway 10.80.0.1 --allocation-pool ${pool}`,
  )
})

test('server create --wait ends with a machine that its owner logs in to', async () => {
  const made = await shown('server create web --flavor metal --image small --network rack --key-name mine --wait')
  expect(made).toMatchObject({ name: 'web', status: 'ACTIVE', 'OS-EXT-STS:power_state': 1 })
  address = (await shown('server show web')).addresses.rack[0]
  expect(address).toMatch(/^10\.80\.0\.2[0-2]\d$/)
  expect(await ssh(address, 'hostname')).toBe('web')
})

test('each step of it shows: in the action log, on the node, on the port', async () => {
  const { id } = await shown('server show web')
  const [made] = await shown('server event list web')
  expect(made).toMatchObject({ Action: 'create' })
  const { events } = await shown(`server event show web ${made['Request ID']}`)
  const steps = ['scheduling', 'networking', 'spawning', 'deploying'].map((event) => ({ event, result: 'Success' }))
  expect(events).toMatchObject(steps)
  const node = await shown('--os-cloud operator baremetal node show bios-1')
  expect(node).toMatchObject({
    instance_uuid: id,
    provision_state: 'active',
    power_state: 'power on',
    instance_info: {
      display_name: 'web',
      image_source: (await shown('image show small')).id,
      flavor_name: 'metal',
      memory_mb: '512',
      traits: ['CUSTOM_LAB'],
      capabilities: { iscsi_boot: 'true' },
    },
  })
  expect(await shown(`resource provider allocation show ${id}`)).toMatchObject([
    { resource_provider: node.uuid, resources: { CUSTOM_BAREMETAL: 1 } },
  ])
  const validated = await shown('--os-cloud operator baremetal node validate bios-1')
  for (const Interface of ['power', 'deploy', 'boot', 'storage', 'network'])
    expect(validated).toContainEqual(expect.objectContaining({ Interface, Result: true }))
  const [listed] = await shown('port list --server web')
  expect(await shown(`port show ${listed.ID}`)).toMatchObject({
    status: 'ACTIVE',
    device_id: id,
    binding_host_id: node.uuid,
    mac_address: lab.rack.servers[0]!.mac,
    fixed_ips: [{ ip_address: address }],
  })
})

test('console log show has what it prints on its serial port', async () => {
  // The simulated BMC is deaf for a while after it has switched a machine on: what is printed then is lost.
  const printed = async (): Promise<string> => {
    await ssh(address, 'echo said by web >/dev/ttyS0; echo done')
    return openstack('console log show web --lines 20')
  }
  await expect.poll(printed, { timeout: 3 * MINUTE, interval: 2000 }).toContain('said by web')
})

test('server reboot brings it up anew', async () => {
  const before = await bootId()
  await openstack('server reboot web --hard --wait')
  await expect.poll(bootId, { timeout: 3 * MINUTE }).not.toBe(before)
})

test('server rescue boots it from the site, and unrescue from its disk again', async () => {
  await ssh(address, 'echo kept >/root/note; sync; echo done')
  const before = await bootId()
  await openstack('server rescue web')
  await expect.poll(status, { timeout: 5 * MINUTE, interval: 1000 }).toBe('RESCUE')
  await openstack('server unrescue web')
  await expect.poll(status, { timeout: 5 * MINUTE, interval: 1000 }).toBe('ACTIVE')
  expect(await ssh(address, 'cat /root/note')).toBe('kept')
  expect(await bootId()).not.toBe(before)
})

test('server rebuild writes its image anew, at the same address', async () => {
  await openstack('server rebuild web --image small --wait')
  expect(await ssh(address, 'cat /root/note 2>/dev/null || echo gone')).toBe('gone')
})

test('server delete --wait gives everything back', async () => {
  await openstack('server delete web --wait')
  expect(await shown('server list')).toEqual([])
  expect(await shown('port list --network rack')).toEqual([])
  expect(await shown('--os-cloud operator baremetal node show bios-1')).toMatchObject({
    instance_uuid: null,
    instance_info: {},
  })
  await expect
    .poll(async () => (await lab.client.nodes.get('bios-1')).provision_state ?? 'available', { timeout: 2 * MINUTE })
    .toBe('available')
})

const volume = async (name: string): Promise<string> => (await shown(`volume show ${name}`)).status

test('a server boots from a volume, gives it back, and that goes too', async () => {
  const machine = lab.rack.servers[0]!
  await openstack(`image create bootable --disk-format raw --container-format bare --file ${await makeVolume(dir)}`)
  await openstack('volume create root --size 1 --image bootable --bootable')
  await expect.poll(() => volume('root'), { timeout: 2 * MINUTE, interval: 1000 }).toBe('available')
  const from = await machine.serialPosition()
  await openstack('server create stored --flavor metal --volume root --network rack --wait')
  await machine.waitForSerial(new RegExp(SAYS), { from, timeoutMs: 5 * MINUTE })
  expect(await volume('root')).toBe('in-use')
  await openstack('server delete stored --wait')
  await expect.poll(() => volume('root'), { timeout: 2 * MINUTE, interval: 1000 }).toBe('available')
  await openstack('volume delete root')
  await expect.poll(() => shown('volume list'), { timeout: 3 * MINUTE, interval: 1000 }).toEqual([])
})
