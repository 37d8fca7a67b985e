import { setTimeout as sleep } from 'node:timers/promises'
import { pushImage as pushDisk } from '../../cli/images/push.ts'
import { openSource } from '../../cli/images/source.ts'
import { uploadBytes } from '../../cli/images/upload.ts'
import type { Client } from '../../contract/api/client.ts'
import type { ProvisionOptions } from '../../contract/api/requests.ts'
import type { NodeView } from '../../contract/api/views.ts'
import { provision, type ProvisionState, type Verb } from '../../contract/provision.ts'
import type { BmcAccess } from '../rack/qemu/bmc.ts'
import type { RackServer } from '../rack/qemu/server.ts'
import { SITE, type Lab } from './lab.ts'

/** What people do with nodes, in calls of the public API. */

/** All provision states seen while waiting, in order. */
export interface Walk {
  node: NodeView
  seen: string[]
}

/** Waits until the node rests. Rejects at once when that is elsewhere than in `goal`. */
export async function settled(client: Client, ident: string, goal: ProvisionState, withinMs: number): Promise<Walk> {
  const until = Date.now() + withinMs
  const seen: string[] = []
  for (;;) {
    const node = await client.nodes.get(ident)
    const state = node.provision_state ?? 'available'
    if (seen.at(-1) !== state) seen.push(state)
    const { kind } = provision[state]
    if (state === goal) return { node, seen }
    if (kind === 'failed' || (kind === 'stable' && node.target_provision_state === null && seen.length > 1))
      throw new Error(`${ident} ended in '${state}' instead of '${goal}': ${node.last_error}`)
    if (Date.now() > until)
      throw new Error(`${ident} is still '${state}' after ${withinMs / 1000} s: ${JSON.stringify(node.operation)}`)
    await sleep(500)
  }
}

export async function ask(
  client: Client,
  ident: string,
  verb: Verb,
  goal: ProvisionState,
  withinMs: number,
  more?: ProvisionOptions,
): Promise<Walk> {
  await client.nodes.provision(ident, verb, more)
  return settled(client, ident, goal, withinMs)
}

function driverInfo({ protocol, address, port, username, ca }: BmcAccess, password: string): Record<string, unknown> {
  if (protocol === 'redfish')
    return {
      redfish_address: `https://${address}:${port}`,
      redfish_username: username,
      redfish_password: password,
      redfish_verify_ca: ca,
    }
  return {
    ipmi_address: address,
    ipmi_port: port,
    ipmi_username: username,
    ipmi_password: password,
    ipmi_cipher_suite: 3,
  }
}

/** A node for this server of the rack, with its port; in `enroll`. */
export async function createNode({ client }: Lab, server: RackServer, password = server.bmc.password): Promise<void> {
  await client.nodes.create({
    name: server.name,
    driver: server.bmc.protocol,
    conductor_group: SITE,
    driver_info: driverInfo(server.bmc, password),
    ...(server.bmc.protocol === 'ipmi' && { console_interface: 'ipmitool-socat' }),
    // The disks of the rack are smaller than the 4 GiB that Ironic takes without a hint.
    properties: {
      cpu_arch: 'x86_64',
      capabilities: `boot_mode:${server.firmware}`,
      root_device: { name: '/dev/vda' },
    },
    resource_class: 'baremetal',
  })
  await client.ports.create({ address: server.mac, node_uuid: (await client.nodes.get(server.name)).uuid })
}

/** As `bloomery image push` does it. Uploads' URLs are the cloud's as its namespace has it; this process reaches it by the lab's door. */
export async function pushImage({ client, environment }: Lab, name: string, image: { path: string }): Promise<void> {
  await using source = await openSource(image.path, undefined, () => () => {})
  const progress = { read: () => {}, stored: () => {}, skipped: () => {} }
  const put: typeof uploadBytes = (to, bytes, what) => {
    const { pathname, search } = new URL(to.url)
    return uploadBytes({ ...to, url: new URL(pathname + search, environment.BLOOMERY_ENDPOINT).href }, bytes, what)
  }
  await pushDisk({ client, name, source, key: undefined, progress, put })
}

export async function useImage(client: Client, ident: string, image: Record<string, string>): Promise<void> {
  await client.nodes.patch(
    ident,
    Object.entries(image).map(([key, value]) => ({ op: 'add', path: `/instance_info/${key}`, value })),
  )
}
