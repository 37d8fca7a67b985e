import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { newestGeneration, observe } from '../../cli/course.ts'
import { SITE, type Lab } from '../lab/lab.ts'
import type { RackServer } from '../rack/qemu/server.ts'
import { type Desk, folder, shown } from './desk.ts'
import type { Proof, Prove } from './proofs.ts'
import { type Screen, type } from './screen.ts'
import { type Spent, spentIn } from './times.ts'

const COMMAND_SECONDS = 60
const OPERATION_SECONDS = 900
/** The CLI's own account; the demo's, at the end, is of all servers. */
const ACCOUNT = /^Where the time went/

export interface Running {
  lab: Lab
  desk: Desk
  screen: Screen
  image: string
  /** Resolves when the image can be used: machines are cleaned meanwhile. */
  pushed: Promise<void>
  prove: Prove
}

export interface Journey {
  server: RackServer
  proof: Proof
  spent: Spent[]
}

/** One server from enroll to active and proven, in the lines that a person would type. */
export async function deploy(
  { lab, desk, screen, image, pushed, prove }: Running,
  server: RackServer,
): Promise<Journey> {
  const own = screen.of(server.name)
  const { name } = server
  const spent: Spent[] = []
  const operation = async (line: string): Promise<void> => {
    const before = newestGeneration(await lab.client.nodes.get(name))
    await type(
      own,
      `${desk.bloomery} ${line} --wait --timeout ${OPERATION_SECONDS}`,
      OPERATION_SECONDS + COMMAND_SECONDS,
      ACCOUNT,
    )
    spent.push(...observe([], await lab.client.nodes.get(name), before).flatMap(spentIn))
  }
  for (const line of [await nodeLine(server), `port create --node ${name} --address ${server.mac}`])
    await type(own, `${desk.bloomery} ${line}`, COMMAND_SECONDS)
  await operation(`node manage ${name}`)
  await operation(`node provide ${name}`)
  await pushed
  await operation(`deploy ${name} --image ${image} --hostname ${name} --ssh-key ${desk.publicKey}`)
  own.say('waiting for its first boot from disk')
  const began = performance.now()
  const proof = await prove(lab, server)
  spent.push({ operation: 'first boot', step: 'until it answers', seconds: (performance.now() - began) / 1000 })
  own.say(`$ ${proof.line}`)
  own.say(`  ${proof.answer}`)
  return { server, proof, spent }
}

export async function undeploy(desk: Desk, screen: Screen, { name }: RackServer): Promise<void> {
  const line = `${desk.bloomery} undeploy ${name} --wait --timeout ${OPERATION_SECONDS}`
  await type(screen.of(name), line, OPERATION_SECONDS + COMMAND_SECONDS, ACCOUNT)
}

/** The BMC's password comes from a file, because command lines can be read by everybody on a machine. */
async function nodeLine({ name, bmc, firmware }: RackServer): Promise<string> {
  const password = join(folder, `${name}.bmc-password`)
  await writeFile(password, `${bmc.password}\n`, { mode: 0o600 })
  return [
    `node create --name ${name} --site ${SITE} --driver ipmi`,
    `--driver-info ipmi_address=${bmc.address}`,
    `--driver-info ipmi_username=${bmc.username}`,
    `--driver-info ipmi_password=@${shown(password)}`,
    '--driver-info ipmi_cipher_suite=3',
    '--console-interface ipmitool-socat',
    '--property cpu_arch=x86_64',
    `--property capabilities=boot_mode:${firmware}`,
  ].join(' ')
}
