import { settled } from '../lab/walk.ts'
import { shown } from './desk.ts'
import type { Journey, Running } from './journey.ts'
import { logIn } from './proof.ts'
import { type Screen, type } from './screen.ts'

/** What people do with servers, in lines of OpenStack's own client. */

const SECONDS = 900
const MILLISECONDS = SECONDS * 1000

/** What servers are made of. The addresses are those of the provisioning network that its DHCP leaves alone. */
export async function furnishCloud({ desk, screen, image }: Running, disk: string): Promise<void> {
  const lines = [
    `image create ${image.name} --disk-format qcow2 --container-format bare --file ${shown(disk)} -f yaml -c id -c status`,
    'flavor create metal --ram 1024 --disk 4 --vcpus 1 --property resources:CUSTOM_BAREMETAL=1 -f yaml -c name -c properties',
    `keypair create mine --public-key ${desk.publicKey} -f yaml -c name -c fingerprint`,
    'network create rack -f yaml -c name -c status',
    'subnet create rack-4 --network rack --subnet-range 10.80.0.0/24 --gateway 10.80.0.1 --allocation-pool start=10.80.0.200,end=10.80.0.250 -f yaml -c allocation_pools',
    'volume create data --size 1 -f yaml -c name -c size',
    'volume list --long',
  ]
  for (const line of lines) await type(screen.of('cloud'), `${desk.openstack} ${line}`, SECONDS)
}

/** What else a server can be told. */
export async function tour(running: Running, { server, machine }: Journey): Promise<void> {
  const { desk, screen } = running
  const own = screen.of(server)
  const run = (line: string) => type(own, `${desk.openstack} ${line}`, SECONDS)
  const become = (status: string) =>
    until(own, `${desk.openstack} server show ${server} -f value -c status | grep ${status}`)
  await run(`server event list ${server} -c Action -c 'Start Time'`)
  await run(`server reboot ${server} --hard --wait`)
  await logIn(running, server, machine)
  await run(`console log show ${server} --lines 8`)
  await run(`server rescue ${server}`)
  await become('RESCUE')
  await run(`server unrescue ${server}`)
  await become('ACTIVE')
  await run(`server rebuild ${server} --image ${running.image.name} --wait -f yaml -c status`)
  await logIn(running, server, machine)
}

/** Until a command of the shell succeeds. */
export async function until(screen: Screen, condition: string): Promise<void> {
  await type(screen, `timeout ${SECONDS} sh -c 'until ${condition}; do sleep 2; done'`, SECONDS)
}

/** Servers are given back by their owner, and cleaned by the site. */
export async function giveBack({ lab, desk, screen }: Running, { server, machine }: Journey): Promise<void> {
  await type(screen.of(server), `${desk.openstack} server delete ${server} --wait`, SECONDS)
  await settled(lab.client, machine.name, 'available', MILLISECONDS)
  screen.of(machine.name).say('available')
}
