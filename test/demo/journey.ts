import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { newestGeneration, observe } from '../../cli/course.ts'
import { SITE, type Lab } from '../lab/lab.ts'
import type { RackServer } from '../rack/qemu/server.ts'
import { type Desk, folder, shown } from './desk.ts'
import { logIn, type Proof } from './proof.ts'
import type { Interrupt } from './interrupt.ts'
import { type Screen, type } from './screen.ts'
import { type Spent, spentIn } from './times.ts'

const COMMAND_SECONDS = 60
const OPERATION_SECONDS = 900
/** The CLI's own account; the demo's, at the end, is of all machines. */
const ACCOUNT = /^Where the time went/

export interface Running {
  lab: Lab
  desk: Desk
  screen: Screen
  interrupt: Pick<Interrupt, 'asked'>
  /** Its user, who logs in. */
  image: { name: string; user: string }
}

/** A machine, the server that it became, and what took how long. */
export interface Journey {
  machine: RackServer
  server: string
  proof: Proof
  spent: Spent[]
}

/** A machine from nothing to available, in the lines that its operator would type. */
export async function enrol({ lab, desk, screen }: Running, machine: RackServer): Promise<Spent[]> {
  const own = screen.of(machine.name)
  const { name } = machine
  const spent: Spent[] = []
  for (const line of [await nodeLine(machine), `port create --node ${name} --address ${machine.mac}`])
    await type(own, `${desk.bloomery} ${line}`, COMMAND_SECONDS)
  for (const verb of ['manage', 'provide']) {
    const before = newestGeneration(await lab.client.nodes.get(name))
    const line = `${desk.bloomery} node ${verb} ${name} --wait --timeout ${OPERATION_SECONDS}`
    await type(own, line, OPERATION_SECONDS + COMMAND_SECONDS, ACCOUNT)
    spent.push(...observe([], await lab.client.nodes.get(name), before).flatMap(spentIn))
  }
  return spent
}

/** A server from the request to a log-in, in the line that its owner would type. Which machine it gets is the scheduler's affair. */
export async function serve(running: Running, server: string): Promise<Journey> {
  const { lab, desk, screen, image } = running
  const own = screen.of(server)
  const before = new Map<string, number>()
  for (const { name } of lab.rack.servers) before.set(name, newestGeneration(await lab.client.nodes.get(name)))
  const line = `server create ${server} --flavor metal --image ${image.name} --network rack --key-name mine --wait -f yaml -c status -c addresses`
  await type(own, `${desk.openstack} ${line}`, OPERATION_SECONDS)
  const machine = await machineOf(lab, server)
  const node = await lab.client.nodes.get(machine.name)
  const spent = observe([], node, before.get(machine.name) ?? 0).flatMap(spentIn)
  own.say(`${server} is on ${machine.name}; waiting for its first boot from disk`)
  const began = performance.now()
  const proof = await logIn(running, server, machine)
  spent.push({ operation: 'first boot', step: 'until it answers', seconds: (performance.now() - began) / 1000 })
  own.say(`$ ${proof.line}`)
  own.say(`  ${proof.answer}`)
  return { machine, server, proof, spent }
}

export async function machineOf({ rack, client }: Lab, server: string): Promise<RackServer> {
  for (const machine of rack.servers) {
    const { instance_info: instance } = await client.nodes.get(machine.name)
    if (instance['display_name'] === server) return machine
  }
  throw new Error(`no machine says that it is ${server}`)
}

/** The BMC's password comes from a file, because command lines can be read by everybody on a machine. */
async function nodeLine({ name, bmc, firmware }: RackServer): Promise<string> {
  const password = join(folder, `${name}.bmc-password`)
  await writeFile(password, `${bmc.password}\n`, { mode: 0o600 })
  return [
    `node create --name ${name} --site ${SITE} --driver ipmi`,
    '--resource-class baremetal --rescue-interface agent --storage-interface cinder --console-interface ipmitool-socat',
    `--driver-info ipmi_address=${bmc.address}`,
    `--driver-info ipmi_username=${bmc.username}`,
    `--driver-info ipmi_password=@${shown(password)}`,
    '--driver-info ipmi_cipher_suite=3',
    '--property cpu_arch=x86_64',
    `--property capabilities=boot_mode:${firmware},iscsi_boot:true`,
  ].join(' ')
}
