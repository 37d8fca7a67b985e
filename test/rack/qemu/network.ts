import { addNetns, ip } from './netns.ts'
import { startWanLink, type WanLink } from '../wan/link.ts'

/** Addresses are the same in every rack: each has namespaces of its own. */
export const addresses = {
  siteProvisioning: '10.80.0.1',
  siteBmc: '10.81.0.1',
  siteWan: '10.82.0.2',
  cloud: '10.82.0.1',
  bmc: (index: number) => `10.81.0.${11 + index}`,
}

export type Netns = string
export type RackNetwork = { site: Netns; servers: Netns; bmcs: Netns; cloud: Netns; wan: WanLink }

/** Name of the tap that is the cable of a server. */
export const tapName = (index: number) => `tap${index}`

/** Lays the cables of a rack:
 *
 *     cloud ──wan── site ──prov0── bridge ── tap0, tap1, … (QEMU)         namespace `servers`
 *                        └─bmc0─── one address per BMC (ipmi_sim)         namespace `bmcs`
 */
export async function layNetwork(rack: string, servers: number, seed: number): Promise<RackNetwork> {
  const [site, switches, bmcs, cloud] = [`${rack}-site`, `${rack}-servers`, `${rack}-bmcs`, `${rack}-cloud`]
  for (const netns of [site, switches, bmcs, cloud]) await addNetns(netns)
  const indexes = Array.from({ length: servers }, (_, index) => index)

  await ip(switches, [
    'link add br0 type bridge stp_state 0 forward_delay 0 mcast_snooping 0',
    'link set br0 up',
    `link add uplink type veth peer name prov0 netns ${site}`,
    'link set uplink master br0 up',
    ...indexes.flatMap((index) => [
      `tuntap add dev ${tapName(index)} mode tap`,
      `link set ${tapName(index)} master br0 up`,
    ]),
  ])
  await ip(bmcs, [
    `link add eth0 type veth peer name bmc0 netns ${site}`,
    'link set eth0 up',
    ...indexes.map((index) => `address add ${addresses.bmc(index)}/24 dev eth0`),
  ])
  const wan = await startWanLink(cloud, ['wan0', 'far0'], seed)
  await ip(cloud, [
    `link set far0 netns ${site} name wan0`,
    `address add ${addresses.cloud}/24 dev wan0`,
    'link set wan0 up',
  ])
  await ip(site, [
    `address add ${addresses.siteProvisioning}/24 dev prov0`,
    'link set prov0 up',
    `address add ${addresses.siteBmc}/24 dev bmc0`,
    'link set bmc0 up',
    `address add ${addresses.siteWan}/24 dev wan0`,
    'link set wan0 up',
    'route add 255.255.255.255/32 dev prov0', // DHCP's limited broadcast belongs to the provisioning network
  ])
  return { site, servers: switches, bmcs, cloud, wan }
}
