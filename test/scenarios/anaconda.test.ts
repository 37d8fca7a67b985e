import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Fleet, type Member } from '../rack/paper/fleet.ts'
import { cloudHere, type CloudHere } from './cloud-here.ts'
import { deployed, way } from './way.ts'

/** Deploy interface `anaconda`: an installer in the agent's place, which calls as the kickstart has it call. */

const WITHIN = 120_000
const template = `# of people's own
text
url --url={{ ks_options.repo_url }}
%pre
curl -k -s -f --retry 30 --retry-delay 1 --retry-all-errors -H 'Content-Type: application/json' -H 'X-OpenStack-Ironic-API-Version: 1.72' -d '{"callback_url": "", "agent_token": "{{ ks_options.agent_token }}", "agent_status": "start"}' {{ ks_options.heartbeat_url }}
%end
%onerror
curl -k -s -f --retry 30 --retry-delay 1 --retry-all-errors -H 'Content-Type: application/json' -H 'X-OpenStack-Ironic-API-Version: 1.72' -d '{"callback_url": "", "agent_token": "{{ ks_options.agent_token }}", "agent_status": "error", "agent_status_message": "no room on sda"}' {{ ks_options.heartbeat_url }}
%end
%post
curl -k -s -f --retry 30 --retry-delay 1 --retry-all-errors -H 'Content-Type: application/json' -H 'X-OpenStack-Ironic-API-Version: 1.72' -d '{"callback_url": "", "agent_token": "{{ ks_options.agent_token }}", "agent_status": "end"}' {{ ks_options.heartbeat_url }}
%end
`
const served: Record<string, string> = {
  '/vmlinuz': 'a kernel',
  '/initrd.img': 'a ramdisk',
  '/install.img': 'a second stage',
  '/own.ks': template,
  '/silent.ks': 'text\nreboot\n',
}

let cloud: CloudHere
let fleet: Fleet
let member: Member
let theirs: Server
let base: string

beforeAll(async () => {
  theirs = createServer((request, reply) => void reply.end(served[request.url ?? '']))
  await new Promise<void>((resolve) => void theirs.listen(0, '127.0.0.1', resolve))
  base = `http://127.0.0.1:${(theirs.address() as AddressInfo).port}`
  cloud = await cloudHere()
  // The door that its ramdisk calls is one of real HTTP, as curl needs it.
  fleet = new Fleet({
    endpoint: cloud.endpoint,
    sites: 1,
    machinesPerSite: 1,
    speed: 50,
    ramdisk: 'ironic-python-agent',
  })
  await fleet.join()
  member = fleet.members[0]!
  await fleet.makeAvailable([member], WITHIN)
  await set('/deploy_interface', 'anaconda')
})
afterAll(async () => {
  await fleet?.tearDown()
  await cloud?.stopAndForget()
  theirs?.close()
})

const set = (path: string, value: unknown) => fleet.client.nodes.patch(member.uuid, [{ op: 'add', path, value }])
async function give(info: Record<string, string>): Promise<void> {
  for (const [key, value] of Object.entries(info)) await set(`/instance_info/${key}`, value)
}
const deploy = (more = {}) => fleet.client.nodes.provision(member.uuid, 'active', more)

test('what is missing is said at once', async () => {
  await expect(deploy()).rejects.toThrow(/instance_info lacks kernel/)
  await give({ kernel: `${base}/vmlinuz`, ramdisk: `${base}/initrd.img` })
  await expect(deploy()).rejects.toThrow(/lacks stage2/)
  await give({ stage2: `${base}/install.img` })
  await expect(deploy()).rejects.toThrow(/lacks what is to be installed/)
  await give({ image_source: 'debian' })
  await expect(deploy()).rejects.toThrow(/installation tree/)
  await give({ image_source: `${base}/tree`, kernel_append_params: 'inst.text' })
  const steps = [{ interface: 'deploy', step: 'clean_uefi_nvram', args: {}, priority: 50 }]
  await expect(deploy({ deploy_steps: steps })).rejects.toThrow(/deploy interface anaconda has none/)
})

test('the installer has all from the site, says how it goes, and the node is active on what it installed', async () => {
  const before = (await fleet.history(member.uuid)).length
  await deploy({ configdrive: { meta_data: { hostname: 'h1' } } })
  await fleet.reach([member], 'active', WITHIN)
  const { kickstarts, ramdisks, boots } = member.machine
  expect(kickstarts).toEqual([expect.stringContaining(`url --url=${base}/tree`)])
  expect(kickstarts[0]).toContain('/var/lib/cloud/seed/config_drive')
  expect(ramdisks).toEqual([
    expect.stringMatching(/ inst\.ks=http:\S+\/boot\/\S+\/ks\.cfg inst\.stage2=http:\S+\/boot\/\S+ inst\.text$/),
  ])
  await expect.poll(() => boots.slice(-2), { timeout: WITHIN }).toEqual(['network', 'disk installed'])
  expect((await fleet.history(member.uuid)).slice(before)).toEqual(way('available', ...deployed))
  const url = / inst\.ks=(\S+)/.exec(ramdisks[0]!)![1]!
  expect((await fetch(url)).status).toBe(403)
})

test('a kickstart that tells nobody how it goes is refused before the machine is touched', async () => {
  await fleet.bring([member], 'deleted', 'available', WITHIN)
  const { starts } = member.machine
  await again({ ks_template: `${base}/silent.ks` })
  await expect(fleet.reach([member], 'active', WITHIN)).rejects.toThrow(/silent\.ks tells nobody how it goes/)
  expect(member.machine.starts).toBe(starts)
})

test('an installer that fails fails the deploy in its own words, and the machine is off', async () => {
  await fleet.bring([member], 'deleted', 'available', WITHIN)
  member.machine.diskFault = 'no room'
  await again({ ks_template: `${base}/own.ks` })
  await expect(fleet.reach([member], 'active', WITHIN)).rejects.toThrow('the installer failed: no room on sda')
  await expect.poll(() => member.machine.power, { timeout: WITHIN }).toBe('off')
  member.machine.diskFault = undefined
})

test('an appliance that dies while it installs hears the end all the same', async () => {
  await fleet.bring([member], 'deleted', 'available', WITHIN)
  const { length } = member.machine.kickstarts
  await again({ ks_template: `${base}/own.ks` })
  await expect.poll(() => member.machine.kickstarts.length, { timeout: WITHIN, interval: 20 }).toBe(length + 1)
  member.site.life.kill()
  await member.site.boot()
  await fleet.reach([member], 'active', WITHIN)
  expect(member.machine.kickstarts).toHaveLength(length + 1)
  expect(member.machine.disk.image).toBe('installed')
  expect(fleet.accidents()).toEqual([])
})

/** Undeployed, a node has forgotten what it was to be. */
async function again(more: Record<string, string>): Promise<void> {
  await give({
    kernel: `${base}/vmlinuz`,
    ramdisk: `${base}/initrd.img`,
    image_source: `${base}/tree`,
    ...more,
  })
  await deploy()
}
