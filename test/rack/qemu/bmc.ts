import { createHash } from 'node:crypto'
import { mkdir, open, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { SERIAL_SOCKET } from './machine.ts'
import { ready, spawnIn } from './netns.ts'

const START_DEADLINE_MS = 60_000
/** Where the simulator finds the server's serial port, at the BMC's own address. */
const SERIAL_PORT = 9012

export type BmcAccess = {
  protocol: 'ipmi' | 'redfish'
  address: string
  port: number
  username: string
  password: string
  /** File with the certificate to trust, of Redfish. */
  ca?: string
}

/** Configuration of OpenIPMI's simulator: one BMC on the LAN whose chassis is our program. */
export function lanConfiguration(name: string, access: BmcAccess, chassis: string): string {
  const guid = createHash('sha256').update(`bmc ${name}`).digest('hex').slice(0, 32)
  return `name "${name}"
set_working_mc 0x20
startlan 1
  addr ${access.address} ${access.port}
  priv_limit admin
  allowed_auths_callback md5
  allowed_auths_user md5
  allowed_auths_operator md5
  allowed_auths_admin md5
  guid ${guid}
endlan
chassis_control "${chassis}"
sol "tcp:${access.address}:${SERIAL_PORT}" 115200
user 1 false "" "" user 10 md5
user 2 true "${access.username}" "${access.password}" admin 10 md5
`
}

/** The one management controller of the simulated system, at the usual address 0x20. */
const emulation = `mc_setbmc 0x20
mc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02 persist_sdr
sel_enable 0x20 1000 0x0a
mc_enable 0x20
`

/** Starts the BMC of the server whose files are in `dir`; it listens when this returns and ends with its namespace. */
export async function startBmc(bmcs: string, servers: string, name: string, dir: string, access: BmcAccess) {
  const chassis = `sh ${join(import.meta.dirname, 'chassis.sh')} ${dir} ${servers} 0x20`
  await writeFile(join(dir, 'bmc.conf'), lanConfiguration(name, access, chassis), { mode: 0o600 })
  await writeFile(join(dir, 'bmc.emu'), emulation)
  await mkdir(join(dir, 'bmc-state'), { recursive: true })
  const files = ['-c', join(dir, 'bmc.conf'), '-f', join(dir, 'bmc.emu'), '-s', join(dir, 'bmc-state')]
  const log = await open(join(dir, 'bmc.log'), 'a')
  await openSerialDoor(bmcs, access.address, join(dir, SERIAL_SOCKET), log.fd)
  const child = spawnIn(bmcs, ['ipmi_sim', ...files, '-n'], { stdio: ['ignore', log.fd, log.fd] })
  await log.close()
  child.unref()
  const deadline = performance.now() + START_DEADLINE_MS
  while (!(await listens(child.pid, access))) {
    if (child.exitCode !== null || child.signalCode !== null || performance.now() > deadline) {
      throw new Error(`the BMC of ${name} does not listen on ${access.address}; see ${join(dir, 'bmc.log')}`)
    }
    await sleep(20)
  }
}

/** It listens when this returns, since the simulator asks only once, and ends with its namespace. */
async function openSerialDoor(bmcs: string, address: string, socket: string, log: number): Promise<void> {
  const argv = [process.execPath, join(import.meta.dirname, 'serial-door.ts'), address, `${SERIAL_PORT}`, socket]
  const child = spawnIn(bmcs, argv, { stdio: ['ignore', 'pipe', log] })
  await ready(child, `the serial port at ${address}`)
  child.stdout?.destroy()
  child.unref()
}

/** Whether the BMC's UDP port is bound in the network namespace of the process. */
async function listens(pid: number | undefined, { address, port }: BmcAccess): Promise<boolean> {
  const hex = address
    .split('.')
    .toReversed()
    .map((byte) => Number(byte).toString(16).padStart(2, '0'))
  const local = `${hex.join('')}:${port.toString(16).padStart(4, '0')}`.toUpperCase()
  try {
    return (await readFile(`/proc/${pid}/net/udp`, 'utf8')).includes(local)
  } catch {
    return false // not there yet, or gone again
  }
}
