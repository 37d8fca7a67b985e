import { type ChildProcess, spawn } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '@bloomery/wire/free-port.ts'
import { fruBytes, inletRaw, records } from './paper-inventory.ts'

/** OpenIPMI's simulator on a port of its own, its chassis a file. For tests and benchmarks. */
export interface IpmiSim {
  port: number
  /** `power=1` and `boot=pxe`, as the chassis program keeps them. */
  chassis(): Promise<{ power: string; boot: string }>
  stop(): Promise<void>
}

export const simUser = { username: 'ipmiusr', password: 'test' } as const

export const satelliteMaker = 0x4242

/** With the sensors and the FRU of paper-inventory.ts; of the sensors, only the inlet shows something. */
const emulator = [
  'mc_setbmc 0x20',
  'mc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02 persist_sdr',
  'sel_enable 0x20 1000 0x0a',
  ...records.map((record) => `main_sdr_add 0x20 ${bytesOf(record)}`),
  'sensor_add 0x20 0 1 1 1',
  `sensor_set_value 0x20 0 1 ${inletRaw} 0`,
  `mc_add_fru_data 0x20 0 ${fruBytes().length} data ${bytesOf(fruBytes())}`,
  'mc_enable 0x20',
  // A controller behind it, on the IPMB.
  `mc_add 0x30 0 no-device-sdrs 0x23 7 7 0x9f ${satelliteMaker} 0xf03 persist_sdr`,
  'mc_enable 0x30',
  '',
].join('\n')

function bytesOf(data: Uint8Array): string {
  return [...data].map((byte) => `0x${byte.toString(16)}`).join(' ')
}

/** ipmi_sim calls it as `PROGRAM 0x20 get power`, `PROGRAM 0x20 set boot pxe`: any number of parameters at a time. */
const chassisProgram = (dir: string): string => `#!/bin/sh
shift
verb=$1
shift
while [ $# -gt 0 ]; do
  case "$verb $1" in
    get*) printf '%s:%s\\n' "$1" "$(cat '${dir}'/"$1")"; shift ;;
    'set reset') shift 2 ;;
    set*) printf %s "$2" > '${dir}'/"$1"; shift 2 ;;
    *) exit 1 ;;
  esac
done
`

const START_MS = 60_000

export interface SimOptions {
  /** Kg. */
  bmcKey?: string
  /** The TCP port where the server's serial port is, for SOL. */
  serialPort?: number
}

const lan = (dir: string, port: number, { bmcKey, serialPort }: SimOptions): string => `name "bmc1"
set_working_mc 0x20
  startlan 1
    addr 127.0.0.1 ${port}
    priv_limit admin
    allowed_auths_callback none md2 md5 straight
    allowed_auths_user     none md2 md5 straight
    allowed_auths_operator none md2 md5 straight
    allowed_auths_admin    none md2 md5 straight
    guid a123456789abcdefa123456789abcdef
    ${bmcKey === undefined ? '' : `bmc_key "${bmcKey}"`}
  endlan
  chassis_control "${dir}/chassis.sh 0x20"
  ${serialPort === undefined ? '' : `sol "tcp:127.0.0.1:${serialPort}" 115200`}
  user 1 true "" "test" user 10 none md2 md5 straight
  user 2 true "${simUser.username}" "${simUser.password}" admin 10 none md2 md5 straight
`

export async function startIpmiSim(options: SimOptions = {}): Promise<IpmiSim> {
  const dir = await mkdtemp(join(tmpdir(), 'ipmi-sim-'))
  const port = await freePort('udp')
  await Promise.all([
    writeFile(join(dir, 'lan.conf'), lan(dir, port, options)),
    writeFile(join(dir, 'sim.emu'), emulator),
    writeFile(join(dir, 'chassis.sh'), chassisProgram(dir), { mode: 0o755 }),
    writeFile(join(dir, 'power'), '0'),
    writeFile(join(dir, 'boot'), 'none'),
  ])
  const files = ['-c', join(dir, 'lan.conf'), '-f', join(dir, 'sim.emu'), '-s', join(dir, 'state')]
  const child = spawn('ipmi_sim', [...files, '-n'], { stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (bytes: Buffer) => (said = (said + bytes.toString()).slice(-2_000)))
  child.on('error', (error) => (said += error.message))
  const stop = async (): Promise<void> => {
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL')
      await once(child, 'exit')
    }
    await rm(dir, { recursive: true, force: true })
  }
  try {
    await answersPing(port, child, () => said)
  } catch (error) {
    await stop()
    throw error
  }
  return {
    port,
    chassis: async () => ({
      power: await readFile(join(dir, 'power'), 'utf8'),
      boot: await readFile(join(dir, 'boot'), 'utf8'),
    }),
    stop,
  }
}

/** A datagram that any BMC answers: Get Channel Authentication Capabilities. */
const probe = Buffer.from('0600ff07000000000000000000092018c88100388e04b5', 'hex')

async function answersPing(port: number, child: ChildProcess, said: () => string): Promise<void> {
  const socket = createSocket('udp4')
  const answers: Buffer[] = []
  socket.on('message', (bytes) => answers.push(bytes)).on('error', () => undefined)
  const until = performance.now() + START_MS
  try {
    for (;;) {
      if (child.exitCode !== null || child.signalCode !== null)
        throw new Error(`ipmi_sim ended with ${child.exitCode ?? child.signalCode}: ${said()}`)
      socket.send(probe, port, '127.0.0.1')
      await sleep(50)
      if (answers.length > 0) return
      if (performance.now() > until)
        throw new Error(`ipmi_sim does not answer on port ${port} after ${START_MS / 1000} s: ${said()}`)
    }
  } finally {
    socket.close()
  }
}
