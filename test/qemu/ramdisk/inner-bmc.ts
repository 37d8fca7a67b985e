import { spawn } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort } from '@bloomery/wire/free-port.ts'

/** What its machine is to find out at the BMC's system interface. */
export const innerBmc = { address: '10.30.0.5', mac: '52:54:00:bb:00:01' }

/** ipmi_sim asks this program for what it doesn't keep itself; other values are not known. */
const lanProgram = `#!/bin/sh
[ "$1" = get ] || exit 1
shift
for name; do
  case $name in
  ip_addr_src) echo ip_addr_src:static ;;
  ip_addr) echo ip_addr:${innerBmc.address} ;;
  mac_addr) echo mac_addr:${innerBmc.mac} ;;
  *) exit 1 ;;
  esac
done
`

const emulation = `mc_setbmc 0x20
mc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02 persist_sdr
sel_enable 0x20 1000 0x0a
mc_enable 0x20
`

export interface InnerBmc {
  /** QEMU's, of the machine that it is in. */
  parts: string[]
  /** How, if it has. */
  ended(): string | undefined
  stop(): void
}

/** OpenIPMI's simulator as the BMC inside of a QEMU machine, which talks to it by the KCS interface (IPMI 2.0 section 9). */
export async function startInnerBmc(folder: string): Promise<InnerBmc> {
  const dir = join(folder, 'inner-bmc')
  await mkdir(join(dir, 'state'), { recursive: true })
  const port = await freePort()
  await writeFile(join(dir, 'lan.sh'), lanProgram, { mode: 0o755 })
  await writeFile(join(dir, 'emu'), emulation)
  const lan = `startlan 1\n  addr 127.0.0.1 0\n  lan_config_program "${join(dir, 'lan.sh')}"\nendlan\n`
  const door = `serial 15 127.0.0.1 ${port} codec VM\n`
  await writeFile(join(dir, 'conf'), `name "inner"\nset_working_mc 0x20\n${lan}${door}`)
  const files = ['-c', join(dir, 'conf'), '-f', join(dir, 'emu'), '-s', join(dir, 'state')]
  const argv = ['--pdeathsig', 'KILL', 'ipmi_sim', ...files, '-n']
  const simulator = spawn('setpriv', argv, { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  simulator.stderr.on('data', (text: Buffer) => (said = (said + text.toString()).slice(-1000)))
  return {
    ended: () => {
      const end = simulator.exitCode ?? simulator.signalCode
      return end === null ? undefined : `ipmi_sim ended with ${end}: ${said}`
    },
    // QEMU dials until the simulator listens.
    parts: [
      '-chardev',
      `socket,id=inner,host=127.0.0.1,port=${port},reconnect=1`,
      '-device',
      'ipmi-bmc-extern,id=bmc,chardev=inner',
      '-device',
      'isa-ipmi-kcs,bmc=bmc',
    ],
    stop: () => void simulator.kill('SIGKILL'),
  }
}
